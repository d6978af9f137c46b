// The server's side of the learning: the master models and what the method remembers.
//
// A published Server is immutable (shared_ptr<const Server>) and has one version; a client in
// flight holds the version that it received, so asynchrony needs nothing else.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "algorithms/chosen_ranks.h"
#include "algorithms/models/layout.h"
#include "algorithms/payload.h"
#include "algorithms/state.h"

namespace skiff {

using ClientId = std::uint32_t;

struct GlobalModel {
  Vector weights;   // the float32 master: always dense, always whole
  Vector adapters;  // empty layout if there are none
  std::int64_t base_version = 0;
  ChosenRanks ranks;  // of the adapters, where the server chooses them
  State memory;       // of the parametrization, from space to space
};

struct Server {
  std::int64_t version = 0;
  std::vector<GlobalModel> models;
  State state;
};

struct Plan;

// One client's accepted report.
struct Update {
  ClientId client = 0;
  double weight = 1;  // for the mean: number of samples, or 1
  std::int64_t staleness = 0;
  const Plan* plan = nullptr;
  std::shared_ptr<const Server> base;  // the version it started from
  Message message;
  std::int64_t steps = 0;                 // that it trained, known at dispatch
  std::shared_ptr<const Model> prepared;  // that it held; null: the whole master, uncompressed
};

}  // namespace skiff
