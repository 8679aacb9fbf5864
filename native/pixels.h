// What AutoAugment asks of every byte of an image and no ATen operator does in one pass: histograms, and lookup in tables.
#pragma once

#include <napi.h>

namespace cleanclip {

void exportPixels(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
