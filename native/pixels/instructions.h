// Which vector instructions a kernel may use.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__)
#define CLEANCLIP_X86
// gcc 12 warns of the values that its own header leaves open on purpose.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
// The instructions of Instructions::avx512. Processors since 2019 (Intel) and 2022 (AMD) have them.
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi,avx512vnni")))
#endif

namespace cleanclip::pixels {

enum class Instructions { plain, avx2, avx512 };

// Returns what this processor has. The environment variable ATEN_CPU_CAPABILITY lowers it, as it does for libtorch:
// `default` stands for plain.
Instructions instructions();

}  // namespace cleanclip::pixels
