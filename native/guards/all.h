// All guards. The table in native/guards.cc says which operators have which guard.
#pragma once

#include <ATen/core/function_schema.h>
#include <ATen/core/ivalue.h>

#include <vector>

namespace cleanclip::guards {

#define CLEANCLIP_GUARD(name) void name(const c10::FunctionSchema& schema, const std::vector<c10::IValue>& stack)

CLEANCLIP_GUARD(binomial);
CLEANCLIP_GUARD(contiguousOutput);
CLEANCLIP_GUARD(eigenvalues);
CLEANCLIP_GUARD(embeddingBag);
CLEANCLIP_GUARD(ctcLoss);
CLEANCLIP_GUARD(foreachLists);
CLEANCLIP_GUARD(gridSampler);
CLEANCLIP_GUARD(flatKernelSize);
CLEANCLIP_GUARD(kernelSize);
CLEANCLIP_GUARD(ldlSolve);
CLEANCLIP_GUARD(leastSquares);
CLEANCLIP_GUARD(linear);
CLEANCLIP_GUARD(luUnpack);
CLEANCLIP_GUARD(matrixPower);
CLEANCLIP_GUARD(median);
CLEANCLIP_GUARD(pdist);
CLEANCLIP_GUARD(poisson);
CLEANCLIP_GUARD(quantizeWeight);
CLEANCLIP_GUARD(random);
CLEANCLIP_GUARD(segmentReduce);
CLEANCLIP_GUARD(sparseProduct);
CLEANCLIP_GUARD(strided);
CLEANCLIP_GUARD(toMkldnn);
CLEANCLIP_GUARD(upsample);
CLEANCLIP_GUARD(viewDtype);

#undef CLEANCLIP_GUARD

}  // namespace cleanclip::guards
