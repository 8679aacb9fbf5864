// The addon's entry: each environment gets its own tables, and every part adds its functions.
#include <ATen/Context.h>
#include <napi.h>

#include "autograd.h"
#include "caching_allocator.h"
#include "clip/binding.h"
#include "distributed/binding.h"
#include "env.h"
#include "file_system.h"
#include "gpu/binding.h"
#include "guard_pages.h"
#include "images/binding.h"
#include "images/decoding.h"
#include "images/reading.h"
#include "interrupt.h"
#include "jpeg.h"
#include "operators.h"
#include "profile.h"
#include "random.h"
#include "scope.h"
#include "tensor.h"
#include "tensor_file.h"
#include "threads.h"

namespace {

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  cleanclip::installCachingAllocator();
  // Kernels trust the indices of sparse tensors. With this switch, torch checks them when it makes such a tensor.
  at::globalContext().setCheckSparseTensorInvariants(true);
  cleanclip::Environment::create(env);
  cleanclip::exportTensor(env, exports);
  cleanclip::exportTensorFile(env, exports);
  cleanclip::exportTensorReading(env, exports);
  cleanclip::exportFileImage(env, exports);
  cleanclip::exportScope(env, exports);
  cleanclip::exportOperators(env, exports);
  cleanclip::exportAutograd(env, exports);
  cleanclip::exportRandom(env, exports);
  cleanclip::exportThreads(env, exports);
  cleanclip::exportCachingAllocator(env, exports);
  cleanclip::exportGuardPages(env, exports);
  cleanclip::exportProfile(env, exports);
  cleanclip::exportGpu(env, exports);
  cleanclip::exportClip(env, exports);
  cleanclip::exportDistributed(env, exports);
  cleanclip::exportJpeg(env, exports);
  cleanclip::exportDecoding(env, exports);
  cleanclip::exportImages(env, exports);
  cleanclip::exportReading(env, exports);
  cleanclip::exportFileSystem(env, exports);
  cleanclip::exportInterrupt(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(cleanclip, initialise)
