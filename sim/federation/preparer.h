// The models that devices hold: the server's weights as each plan's compressors leave them.
//
// What pruners take out is found once, before the first round, and holds for the whole run; what is
// left is quantized anew from the master for each version that is sent. Called on the event thread
// alone, in the order of dispatch.
#pragma once

#include <memory>
#include <vector>

#include "algorithms/model.h"
#include "sim/federation/setup.h"

namespace skiff {

// Runs the pruners on version 0: fills setup.structure, clears in the master what no plan holds,
// and sets Plan::prepared of all plans, those that devices pay for included. Timing-only runs
// prepare shapes alone. Throws std::invalid_argument, in the user's words, where a compressor and
// the model or its data do not go together.
void prepare_start(FederationSetup& setup);

// The shapes of all plans, as if nothing were removed for the whole run.
void prepare_shapes(FederationSetup& setup);

class Preparer {
 public:
  explicit Preparer(const FederationSetup& setup);
  // Null if the plan's devices hold the master as it is.
  std::shared_ptr<const Model> prepared(const Server& server, std::size_t plan);
  // The last version after the compressors that act at the end.
  Model at_end(const Server& server, std::size_t plan) const;

 private:
  struct Kept {
    std::int64_t version = -1;
    std::shared_ptr<const Model> model;
    std::vector<State> memory;  // by compressor
    // Where codes last several spaces of adapters that merge: those of the space `first`, the
    // master that they were made of, and what was merged since.
    std::int64_t first = -1;
    std::shared_ptr<const Model> codes;
    Vector master, added;
  };
  std::shared_ptr<const Model> stacked(const Server& server, std::size_t plan, Kept& kept) const;
  Model compressed(const Server& server, std::size_t plan, Kept& kept) const;

  const FederationSetup& setup_;
  std::vector<Kept> kept_;  // by plan
};

}  // namespace skiff
