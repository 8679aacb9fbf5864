// The headers that nearly every file needs and that are slow to read; compiled once, before the sources.
#pragma once

#include <napi.h>
#include <torch/torch.h>

#include <ATen/core/dispatch/Dispatcher.h>
