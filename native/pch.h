// The precompiled header: it holds the headers that every file needs and that are slow to read. torch/torch.h is not
// among them, because its templates are compiled again in every file (10 s per file, measured).
#pragma once

#include <napi.h>

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>
