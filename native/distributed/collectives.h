// Collectives and messages between the ranks of a group. Each starts at once, in the order of the calls, and gives a
// promise.
#pragma once

#include <napi.h>

namespace cleanclip {

void exportCollectives(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
