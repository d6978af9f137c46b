// A Plan is not a set of numbers that each role must read again: it is the strategies, built with
// one tier's parameters. A Composition is everything that one federated run is made of.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "algorithms/codec.h"
#include "algorithms/compressor.h"
#include "algorithms/models/architecture.h"
#include "algorithms/optimizer.h"
#include "algorithms/parametrization.h"
#include "algorithms/server.h"

namespace skiff {

// How much a client trains. Exactly one of epochs and steps, unless the method draws the steps.
struct LocalWork {
  std::optional<int> epochs, steps;
  std::optional<int> batch;  // empty: all samples of the client
  std::optional<double> clip_norm;

  int batch_of(std::int64_t samples) const;
  std::int64_t steps_of(std::int64_t samples) const;  // the last step of an epoch may be smaller
};

// When a compressor acts. kStart: once, before the first round. kDispatch: the server, on each
// version that it sends. kClient: the device, on what it received, in its own time and RAM.
enum class When : std::uint8_t { kStart, kDispatch, kClient };

struct Plan {
  std::string name;                                            // of the tier, or "all"
  std::vector<std::shared_ptr<const Compressor>> compressors;  // of what devices hold, in order
  std::vector<When> when;  // by compressor; those missing: removal at the start, else at dispatch
  std::vector<std::shared_ptr<const Compressor>> at_end;  // of the last version, beside it
  std::shared_ptr<const Parametrization> parametrization;
  std::shared_ptr<const Optimizer> optimizer;
  std::shared_ptr<const Codec> down, up;
  LocalWork work;
  std::size_t model = 0;           // index into Composition::models
  bool checkpointing = false;      // activations are computed again instead of kept
  std::optional<double> sparsity;  // of its tier, for a method that prunes by itself
  Shape prepared;                  // of what its devices hold
  Shape travels;  // of what they are sent, if they compress it themselves; else no layout

  bool compresses() const { return !compressors.empty(); }
  When when_of(std::size_t compressor) const;
  bool compresses_on_device() const;
  const Shape& sent() const { return travels.layout != nullptr ? travels : prepared; }
  // The prepared model travels as such: what the device decodes of it is what it trains or freezes.
  bool sends_base() const { return compresses() || !parametrization->trains_base(); }
  // Beside it, or instead of it, a vector travels through the codec `down`.
  bool sends_vector() const { return !compresses() || !parametrization->trains_base(); }
};

struct Composition {
  std::vector<std::shared_ptr<const Architecture>> models;
  // The same models, keeping less while they train; null where a model does not offer it.
  std::vector<std::shared_ptr<const Architecture>> thrifty;
  std::vector<Plan> plans;                        // plans[0] is the widest: the server's own
  std::shared_ptr<const Samples> server_samples;  // that the server holds; null: none
  std::int64_t clients = 0;
  std::int64_t horizon = 0;  // rounds planned, for schedules
  std::uint64_t seed = 0;
  double server_learning_rate = 1;
  std::vector<std::string> heuristic;  // combinations allowed without a theory: optimizer, ...

  const Plan& global() const { return plans.front(); }
  const Architecture& architecture(const Plan& plan) const {
    const bool less = plan.checkpointing && plan.model < thrifty.size();
    return less && thrifty[plan.model] != nullptr ? *thrifty[plan.model] : *models[plan.model];
  }
  // Before the compressors ran: every plan's devices hold the whole in float32.
  void prepare_dense();
  // The parametrization and its space in the rounds that start from this version of the server.
  std::int64_t space(const Plan& plan, std::int64_t version) const {
    return version / plan.parametrization->space_lasts();
  }
  const Parametrization& adaptation(const Plan& plan, const Server& server) const;
  const Parametrization& adaptation(const Plan& plan, std::int64_t version,
                                    const ChosenRanks& ranks) const;
  // 64 bits that say all about a space, and the stream that it is drawn from: the same for the
  // server and its clients.
  std::uint64_t space_seed(const Plan& plan, std::int64_t version) const;
  Stream space_stream(const Plan& plan, std::int64_t version) const;
  // Of the frozen base that the clients of a plan hold.
  std::int64_t base_version(const Plan& plan, std::int64_t version) const;
  // The base version that its codes were made of; what was merged since lies beside them.
  std::int64_t prepared_at(const Plan& plan, std::int64_t version) const;
  // Layout of what a client of this plan trains and reports in a round of this version; without a
  // server: of the first round, which is that of all rounds where spaces last.
  LayoutPtr update_layout(const Plan& plan, const Server& server) const;
  LayoutPtr update_layout(const Plan& plan) const;
  // Layout of what goes over the wire: the same, without what masks leave out.
  LayoutPtr wire_layout(const Plan& plan, const Server& server) const;
  LayoutPtr wire_layout(const Plan& plan) const;
};

// How a plan's devices hold the model: bits of storage a value that is left, masks and scales
// counted, and the share of the whole model's values that is not.
struct StorageSummary {
  double bits = 32, sparsity = 0;
};
StorageSummary storage_of(const Composition& composition, const Plan& plan);

// What a client of this plan with that many samples does in one participation, without what the
// method adds. `prepared`: the shape of the model that it holds.
Cost client_cost(const Composition& composition, const Plan& plan, const Shape& prepared,
                 std::int64_t samples, std::int64_t steps);

// What predicting one sample takes on a device that holds `prepared` and trains nothing.
Cost prediction_cost(const Composition& composition, const Plan& plan, const Shape& prepared);

}  // namespace skiff
