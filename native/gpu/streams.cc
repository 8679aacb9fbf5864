#include "streams.h"

#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include "devices.h"
#include "distributed/handle.h"
#include "exports.h"
#include "tensor.h"

namespace cleanclip {

namespace {

using c10::impl::VirtualGuardImpl;

struct StreamHandle {
  static constexpr napi_type_tag tag{0x6f0a51c9d2b74e83, 0xa1e3c45d7b9f2860};
  static constexpr const char* what = "torch.cuda.Stream";
  c10::Stream stream;
};

struct EventHandle {
  static constexpr napi_type_tag tag{0x3be82d7714f94c05, 0x9c60f1a8e25d3b47};
  static constexpr const char* what = "torch.cuda.Event";
  c10::Event event;
};

VirtualGuardImpl gpu() { return VirtualGuardImpl(c10::kCUDA); }

const c10::Stream& streamArg(const Napi::Value& value) { return handleArg<StreamHandle>(value).stream; }
c10::Event& eventArg(const Napi::Value& value) { return handleArg<EventHandle>(value).event; }

napi_value wrapStream(Napi::Env env, const c10::Stream& stream) { return wrapHandle(env, StreamHandle{stream}); }

}  // namespace

void exportStreams(Napi::Env, Napi::Object exports) {
  // createCudaStream(device, high): the next stream of the pool that libtorch keeps for each GPU; `high`: of the pool
  // with high priority
  exportFunction(exports, "createCudaStream", [](const Napi::CallbackInfo& info) {
    const auto device = gpuArg(info[0]);
    return wrapStream(info.Env(), gpu().getStreamFromGlobalPool(device, info[1].ToBoolean()));
  });
  // currentCudaStream(device): the stream on which this thread's operators run
  exportFunction(exports, "currentCudaStream", [](const Napi::CallbackInfo& info) {
    const auto device = gpuArg(info[0]);
    return wrapStream(info.Env(), gpu().getStream(device));
  });
  // setCudaStream(stream): makes it this thread's current stream on its GPU; returns the one before
  exportFunction(exports, "setCudaStream", [](const Napi::CallbackInfo& info) {
    return wrapStream(info.Env(), gpu().exchangeStream(streamArg(info[0])));
  });
  // cudaStreamDevice(stream): the index of its GPU
  exportFunction(exports, "cudaStreamDevice", [](const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), streamArg(info[0]).device_index());
  });
  // queryCudaStream(stream): whether all its work is done
  exportFunction(exports, "queryCudaStream", [](const Napi::CallbackInfo& info) {
    return Napi::Boolean::New(info.Env(), streamArg(info[0]).query());
  });
  // synchronizeCudaStream(stream): blocks until all its work is done
  exportFunction(exports, "synchronizeCudaStream", [](const Napi::CallbackInfo& info) {
    streamArg(info[0]).synchronize();
    return info.Env().Undefined();
  });
  // recordStream(tensor, stream): when the tensor is freed, its memory is reused only after the stream has done its
  // work of that moment
  exportFunction(exports, "recordStream", [](const Napi::CallbackInfo& info) {
    tensorArg(info.Env(), info[0]).record_stream(streamArg(info[1]));
    return info.Env().Undefined();
  });

  // createCudaEvent(): an event that also records its time
  exportFunction(exports, "createCudaEvent", [](const Napi::CallbackInfo& info) {
    gpuArg(info.Env().Undefined());
    return wrapHandle(info.Env(), EventHandle{c10::Event(c10::kCUDA, c10::EventFlag::BACKEND_DEFAULT)});
  });
  // recordCudaEvent(event, stream): the event happens when the stream's present work is done
  exportFunction(exports, "recordCudaEvent", [](const Napi::CallbackInfo& info) {
    eventArg(info[0]).record(streamArg(info[1]));
    return info.Env().Undefined();
  });
  // waitCudaEvent(event, stream): later work of the stream waits for the event; this call does not block
  exportFunction(exports, "waitCudaEvent", [](const Napi::CallbackInfo& info) {
    eventArg(info[0]).block(streamArg(info[1]));
    return info.Env().Undefined();
  });
  // queryCudaEvent(event): whether it has happened
  exportFunction(exports, "queryCudaEvent", [](const Napi::CallbackInfo& info) {
    return Napi::Boolean::New(info.Env(), eventArg(info[0]).query());
  });
  // synchronizeCudaEvent(event): blocks until it has happened
  exportFunction(exports, "synchronizeCudaEvent", [](const Napi::CallbackInfo& info) {
    eventArg(info[0]).synchronize();
    return info.Env().Undefined();
  });
  // cudaElapsedTime(start, end): milliseconds between two events
  exportFunction(exports, "cudaElapsedTime", [](const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), eventArg(info[0]).elapsedTime(eventArg(info[1])));
  });
}

}  // namespace cleanclip
