// Memory for the fuzzers of test/fuzz: every CPU tensor ends, or starts, at a page without access.
#pragma once

#include <napi.h>

namespace cleanclip {

// When CLEANCLIP_GUARD_PAGES is 'after' or 'before', gives CPU tensors memory that ends or starts at such a page, in
// the whole process, and returns true: a read or write beyond it, or after it was freed, is a SIGSEGV that stderr
// explains. Slow; for tests alone.
bool installGuardPages();

// readAt(handle, offset): the byte at an offset from a tensor's first one, wherever that is; only with such pages, to
// test them
void exportGuardPages(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
