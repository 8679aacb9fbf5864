// Memory for the fuzzers of test/fuzz. Every CPU tensor ends, or starts, at a page without access.
#pragma once

#include <napi.h>

namespace cleanclip {

// Does something only when the environment variable CLEANCLIP_GUARD_PAGES is 'after' or 'before', and returns whether
// it did. CPU tensors of this process then end ('after') or start ('before') at such a page. A read or write beyond it,
// or after the tensor was freed, is a SIGSEGV, which stderr explains. This is slow, and for tests alone.
bool installGuardPages();

// readAt(tensor, offset): the signed byte at `offset` bytes from the tensor's first one, without a check of bounds. It
// exists only with such pages, to test them.
void exportGuardPages(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
