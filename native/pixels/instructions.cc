#include "instructions.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace cleanclip::pixels {

namespace {

Instructions ofProcessor() {
#ifdef CLEANCLIP_X86
  const bool has512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi") &&
                      __builtin_cpu_supports("avx512vnni");
  if (has512) return Instructions::avx512;
  if (__builtin_cpu_supports("avx2")) return Instructions::avx2;
#endif
  return Instructions::plain;
}

Instructions allowed() {
  const auto* name = std::getenv("ATEN_CPU_CAPABILITY");
  if (name == nullptr) return Instructions::avx512;
  if (std::string_view(name) == "default") return Instructions::plain;
  return std::string_view(name) == "avx2" ? Instructions::avx2 : Instructions::avx512;
}

}  // namespace

Instructions instructions() {
  static const auto best = std::min(ofProcessor(), allowed());
  return best;
}

}  // namespace cleanclip::pixels
