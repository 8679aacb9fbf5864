#include "names.h"

#include <c10/core/Layout.h>
#include <c10/core/MemoryFormat.h>

#include <array>
#include <utility>

#include "errors.h"

namespace cleanclip {

namespace {

constexpr size_t kLongest = 40;

template <typename Value, size_t Count>
using Names = std::array<std::pair<const char*, Value>, Count>;

constexpr Names<at::ScalarType, 21> kDtypes{{
    {"float32", at::kFloat},
    {"float64", at::kDouble},
    {"float16", at::kHalf},
    {"bfloat16", at::kBFloat16},
    {"int64", at::kLong},
    {"int32", at::kInt},
    {"int16", at::kShort},
    {"int8", at::kChar},
    {"uint8", at::kByte},
    {"bool", at::kBool},
    {"complex64", at::kComplexFloat},
    {"complex128", at::kComplexDouble},
    {"complex32", at::kComplexHalf},
    {"uint16", at::kUInt16},
    {"uint32", at::kUInt32},
    {"uint64", at::kUInt64},
    {"float8_e4m3fn", at::kFloat8_e4m3fn},
    {"float8_e5m2", at::kFloat8_e5m2},
    {"qint8", at::kQInt8},
    {"quint8", at::kQUInt8},
    {"qint32", at::kQInt32},
}};

// Factories take these. Other layouts (mkldnn, jagged) have their own operators and would abort in a factory.
constexpr Names<c10::Layout, 3> kLayouts{{
    {"strided", c10::Layout::Strided},
    {"sparse_coo", c10::Layout::Sparse},
    {"sparse_csr", c10::Layout::SparseCsr},
}};

constexpr Names<c10::MemoryFormat, 4> kMemoryFormats{{
    {"contiguous_format", c10::MemoryFormat::Contiguous},
    {"preserve_format", c10::MemoryFormat::Preserve},
    {"channels_last", c10::MemoryFormat::ChannelsLast},
    {"channels_last_3d", c10::MemoryFormat::ChannelsLast3d},
}};

// Quotes a name from JavaScript for a message: cut to 40 bytes, and without NUL, which would end a C string.
std::string quoted(const std::string& name) {
  std::string result = "'";
  for (const char sign : name.substr(0, kLongest)) result += sign == '\0' ? std::string("\\x00") : std::string(1, sign);
  return result + (name.size() > kLongest ? "…'" : "'");
}

template <typename Table>
auto fromName(const Table& names, const std::string& name, const char* what) {
  std::string known;
  for (const auto& [candidate, value] : names) {
    if (name == candidate) return value;
    known += std::string(known.empty() ? "" : ", ") + candidate;
  }
  throw ArgumentError(quoted(name) + " is not a " + what + "; use one of " + known + ".");
}

template <typename Table, typename Value>
const char* toName(const Table& names, Value value, const char* unknown) {
  for (const auto& [candidate, known] : names) {
    if (known == value) return candidate;
  }
  return unknown;
}

}  // namespace

at::ScalarType dtypeFromName(const std::string& name) { return fromName(kDtypes, name, "dtype"); }

const char* dtypeName(at::ScalarType dtype) { return toName(kDtypes, dtype, c10::toString(dtype)); }

int64_t layoutFromName(const std::string& name) { return static_cast<int64_t>(fromName(kLayouts, name, "layout")); }

const char* layoutName(int64_t layout) { return toName(kLayouts, static_cast<c10::Layout>(layout), "other"); }

int64_t memoryFormatFromName(const std::string& name) {
  return static_cast<int64_t>(fromName(kMemoryFormats, name, "memory format"));
}

const char* memoryFormatName(int64_t format) {
  return toName(kMemoryFormats, static_cast<c10::MemoryFormat>(format), "other");
}

c10::Device deviceFromName(const std::string& name) {
  if (name.size() > kLongest || name.find('\0') != std::string::npos) {
    throw ArgumentError(quoted(name) + " is not a device; use one such as cpu, cuda or cuda:0.");
  }
  return c10::Device(name);
}

}  // namespace cleanclip
