// VECTORISED compiles a function twice, for AVX2 and for any x86-64. At run time, the program takes the one that its
// processor can run.
#pragma once

#include <cstdlib>  // defines __GLIBC__ on glibc, whose loader makes the choice

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define VECTORISED __attribute__((target_clones("avx2", "default")))
#else
#define VECTORISED
#endif
