// What `skiff fit` tries: ways to hold, or to train, one real-size model, and what each costs a
// device. The same plans, shapes and costs as those of a run with model.deploy_as.
#pragma once

#include <string>
#include <vector>

#include "algorithms/cost.h"
#include "algorithms/models/real_size.h"

namespace skiff::cli {

struct FitPlan {
  std::string name;         // "4 bits", "lora rank 8 on 4 bits, adamw, checkpointing"
  double bits = 0;          // of storage a parameter, scales counted
  Cost cost;                // of predicting one sample, or of one step with a batch
  std::int64_t tokens = 0;  // of a sample; 0: images
  bool decodes = false;     // writes text token by token
  Bytes key_values;         // of all tokens in float32, while it writes
};

// Highest quality first: fp32, fp16, then HIGGS with everything that is no linear layer in fp16.
std::vector<FitPlan> inference_plans(const KnownModel& model, int tokens);
// All weights with one optimizer after another, each in its own way of training (projected
// gradients), then low-rank factors beside ever smaller bases; each without checkpointing and with
// it. Last the one that needs no backward pass and most steps by far.
std::vector<FitPlan> training_plans(const KnownModel& model, int tokens, int batch);

}  // namespace skiff::cli
