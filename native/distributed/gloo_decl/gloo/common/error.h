#pragma once

#include <stdexcept>

namespace gloo {

struct Exception : std::runtime_error {  // so that errors.cc can tell a broken or slow connection from other failures
  using std::runtime_error::runtime_error;
};

}  // namespace gloo
