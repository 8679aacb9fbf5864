// Names in JavaScript of dtypes, layouts and memory formats.
#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <string>

namespace cleanclip {

// 'float32' and so on. The functions from a name throw ArgumentError naming what is allowed.
at::ScalarType dtypeFromName(const std::string& name);
const char* dtypeName(at::ScalarType dtype);

// 'strided' and so on, as the integers that an IValue holds.
int64_t layoutFromName(const std::string& name);
const char* layoutName(int64_t layout);

// 'channels_last' and so on, as the integers that an IValue holds.
int64_t memoryFormatFromName(const std::string& name);
const char* memoryFormatName(int64_t format);

// 'cpu', 'cuda:0' and so on.
c10::Device deviceFromName(const std::string& name);

}  // namespace cleanclip
