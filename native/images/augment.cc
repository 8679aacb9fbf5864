#include "images/augment.h"

#include <ATen/ops/empty_like.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "errors.h"
#include "pixels/affine.h"
#include "pixels/enhance.h"
#include "pixels/levels.h"

namespace cleanclip::images {

using namespace pixels;

namespace {

// The image between two steps: `pixels_`, uint8 [H, W, 3], and the operations on levels that are not yet applied to it.
class Canvas {
 public:
  explicit Canvas(const at::Tensor& image) : pixels_(image), size_{image.size(1), image.size(0)} {}

  Size size() const { return size_; }

  void levels(const Table& table) { levels_.then(table); }
  void levels(Table (*table)(const Counts&)) { levels_.then(table, bytes(), size_); }

  uint8_t mean_grey() {
    settle();
    return meanGrey(bytes(), size_);
  }

  // Calls `change(from, to)`, which must write every byte of the next image.
  template <typename Change>
  void draw(Change change) {
    settle();
    auto next = at::empty_like(pixels_);
    change(bytes(), next.template mutable_data_ptr<uint8_t>());
    pixels_ = std::move(next);
    owned_ = true;
  }

  at::Tensor finish() {
    settle();
    return owned_ ? pixels_ : pixels_.clone();
  }

 private:
  const uint8_t* bytes() const { return pixels_.const_data_ptr<uint8_t>(); }

  // Applies the waiting operations on levels.
  void settle() {
    if (levels_.empty()) return;
    auto next = owned_ ? pixels_ : at::empty_like(pixels_);
    levels_.apply(bytes(), next.mutable_data_ptr<uint8_t>(), size_);
    pixels_ = std::move(next);
    owned_ = true;
  }

  at::Tensor pixels_;
  const Size size_;
  Levels levels_;
  bool owned_ = false;
};

// Limits a factor. Beyond these bounds it changes nothing more, because every difference is black or white already.
float factorOf(double change) { return static_cast<float>(std::clamp(1 + change, -1e6, 1e6)); }

void transform(Canvas& canvas, const Matrix& matrix) {
  canvas.draw([&](const uint8_t* from, uint8_t* to) { affine(from, to, canvas.size(), matrix); });
}

void enhance(Canvas& canvas, void (*change)(const uint8_t*, uint8_t*, Size, float), double magnitude) {
  canvas.draw([&](const uint8_t* from, uint8_t* to) { change(from, to, canvas.size(), factorOf(magnitude)); });
}

using Operation = void (*)(Canvas&, double magnitude);

const std::unordered_map<std::string, Operation> operations{
    {"ShearX", [](Canvas& canvas, double slope) { transform(canvas, {1, slope, 0, 0, 1, 0}); }},
    {"ShearY", [](Canvas& canvas, double slope) { transform(canvas, {1, 0, 0, slope, 1, 0}); }},
    {"TranslateX", [](Canvas& canvas, double pixels) { transform(canvas, {1, 0, -std::trunc(pixels), 0, 1, 0}); }},
    {"TranslateY", [](Canvas& canvas, double pixels) { transform(canvas, {1, 0, 0, 0, 1, -std::trunc(pixels)}); }},
    {"Rotate", [](Canvas& canvas, double degrees) { transform(canvas, rotation(degrees, canvas.size())); }},
    {"Brightness", [](Canvas& canvas, double change) { canvas.levels(blended(0, factorOf(change))); }},
    {"Contrast", [](Canvas& canvas, double change) { canvas.levels(blended(canvas.mean_grey(), factorOf(change))); }},
    {"Color", [](Canvas& canvas, double change) { enhance(canvas, saturate, change); }},
    {"Sharpness", [](Canvas& canvas, double change) { enhance(canvas, sharpen, change); }},
    {"Posterize", [](Canvas& canvas, double bits) { canvas.levels(posterised(bits)); }},
    {"Solarize", [](Canvas& canvas, double threshold) { canvas.levels(solarised(threshold)); }},
    {"AutoContrast", [](Canvas& canvas, double) { canvas.levels(stretched); }},
    {"Equalize", [](Canvas& canvas, double) { canvas.levels(equalised); }},
    {"Invert", [](Canvas& canvas, double) { canvas.levels(inverted()); }},
};

}  // namespace

at::Tensor augment(const at::Tensor& image, const std::vector<Step>& steps) {
  Canvas canvas(image);
  for (const auto& [name, magnitude] : steps) {
    const auto operation = operations.find(name);
    if (operation == operations.end()) throw ArgumentError("There is no operation \"" + name + "\" of AutoAugment.");
    operation->second(canvas, magnitude);
  }
  return canvas.finish();
}

}  // namespace cleanclip::images
