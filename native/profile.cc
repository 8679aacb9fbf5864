#include "profile.h"

#include <ATen/record_function.h>

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "exports.h"

namespace cleanclip {

namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

struct Total {
  double calls = 0;
  Seconds own{0};  // without the operators that it calls
};

std::mutex totals_mutex;  // backward may run on other threads
std::map<std::string, Total> totals;

struct Call final : at::ObserverContext {
  explicit Call(Call* caller) : caller(caller) {}

  Call* caller;
  Clock::time_point start = Clock::now();
  Seconds inside{0};
};

thread_local Call* current = nullptr;

std::unique_ptr<at::ObserverContext> onStart(const at::RecordFunction&) {
  auto call = std::make_unique<Call>(current);
  current = call.get();
  return call;
}

void onEnd(const at::RecordFunction& function, at::ObserverContext* context) {
  const auto& call = static_cast<const Call&>(*context);
  const Seconds elapsed = Clock::now() - call.start;
  current = call.caller;
  if (current != nullptr) current->inside += elapsed;
  const std::lock_guard lock(totals_mutex);
  auto& total = totals[function.name()];
  total.calls++;
  total.own += elapsed - call.inside;
}

}  // namespace

void exportProfile(Napi::Env, Napi::Object exports) {
  // startProfile(): counts and times the operators of this thread, and of the backward passes that it starts, until
  // stopProfile. Returns a handle for stopProfile.
  exportFunction(exports, "startProfile", [](const Napi::CallbackInfo& info) {
    const auto handle =
        at::addThreadLocalCallback(at::RecordFunctionCallback(onStart, onEnd).scopes({at::RecordScope::FUNCTION}));
    return Napi::Number::New(info.Env(), static_cast<double>(handle));
  });
  // stopProfile(handle): [name, calls, own seconds] of each operator, sorted by name
  exportFunction(exports, "stopProfile", [](const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    at::removeCallback(static_cast<at::CallbackHandle>(info[0].ToNumber().Int64Value()));
    const std::lock_guard lock(totals_mutex);
    auto rows = Napi::Array::New(env, totals.size());
    uint32_t index = 0;
    for (const auto& [name, total] : totals) {
      auto row = Napi::Array::New(env, 3);
      row.Set(0u, name);
      row.Set(1u, total.calls);
      row.Set(2u, total.own.count());
      rows.Set(index++, row);
    }
    totals.clear();
    return rows;
  });
}

}  // namespace cleanclip
