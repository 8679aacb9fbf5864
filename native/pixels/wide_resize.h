// The resize with AVX-512: a step works on 16 pixels of a row.
#pragma once

#include <memory>

#include "filter.h"
#include "size.h"

namespace cleanclip::pixels {

// Filters an image along one side and then along the other one.
struct Filters {
  const Filter& across;
  const Filter& down;
  bool columnsFirst;  // whether `down` comes first
};

class WideResize {
 public:
  // The filters stay alive.
  explicit WideResize(const Filters& filters);

  // Returns false where the processor lacks an instruction, or where 16 neighbours of the result are too far apart in
  // the image.
  bool fits() const { return weights_ != nullptr; }

  // Resizes an image [height, width, 3] to `planes`, uint8 [3, down.count, across.count].
  void apply(const uint8_t* from, Size size, uint8_t* planes) const;

 private:
  struct Weights;
  std::shared_ptr<const Weights> weights_;
};

}  // namespace cleanclip::pixels
