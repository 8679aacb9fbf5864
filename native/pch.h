// The headers that every file needs and that are slow to read; compiled once, before the sources.
// torch/torch.h is not among them: what it instantiates is compiled again in every file (10 s each, measured).
#pragma once

#include <napi.h>

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>
