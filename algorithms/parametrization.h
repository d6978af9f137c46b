// Parametrization: what is trained on the device, and how unequal clients' changes become one.
// Immutable; per job it makes a Weights object.
//
// What is trained lives in a space: all weights, factors, what one random sketch spans. A space
// lasts some rounds; it begins with start(), which draws from the space's stream alone, and ends
// with fold(). Composition::space_stream gives the stream, the same for the server and all clients.
#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <span>

#include "algorithms/cost.h"
#include "algorithms/model.h"
#include "algorithms/models/weights.h"
#include "algorithms/optimizer.h"
#include "algorithms/payload.h"
#include "algorithms/server.h"
#include "sim/core/random.h"

namespace skiff {

class Parametrization {
 public:
  static constexpr const char* kRole = "adaptation";
  static constexpr const char* kKey = "name";
  virtual ~Parametrization() = default;

  // Weights for one job, starting at what the device received (layout of for_client). `base` is the
  // prepared model, null if the master itself is trained. `reuse`: an object of an earlier bind()
  // of this same parametrization on the same worker, or null; its memory may be taken over.
  virtual std::unique_ptr<Weights> bind(std::shared_ptr<const Model> base, const Vector& received,
                                        Stream space, std::unique_ptr<Weights> reuse) const = 0;
  // Of what one client sends: depends on its rank and shapes. Masks narrow no layout: what they
  // leave out is 0 here, and stays off the wire.
  virtual LayoutPtr update_layout(const Shape& prepared) const = 0;
  // What aggregation moves: the weights or the adapters.
  virtual Vector& target(GlobalModel& model) const = 0;
  virtual const Vector& target(const GlobalModel& model) const = 0;
  // The part of the global vector that one client receives (unequal ranks and shapes).
  virtual Vector for_client(const Vector& global, const Model* base) const = 0;
  // What is trained is the prepared model itself. If not, the model is a frozen base: a section of
  // its own, kept by the devices as long as its version lasts.
  virtual bool trains_base() const { return true; }
  // direction = mean of the clients' vectors by Update::weight, in client-id order for every
  // coordinate, on what they hold (Update::prepared).
  virtual void average(std::span<const Update> updates, std::span<const Vector> vectors,
                       Vector& direction) const = 0;
  // The space ends: merges adapters into weights.
  virtual void fold(GlobalModel&, Stream /*space*/) const {}
  // A space begins: the adapters as every client of the widest plan receives them.
  virtual void start(GlobalModel&, Stream /*space*/) const {}
  // The weights that the model is worth: for evaluation, and to keep.
  virtual Vector merged(const GlobalModel& model, Stream /*space*/) const { return model.weights; }
  // Adds weights, gradients, adapters and optimizer state to the cost: it decides how the base is
  // held. Where the base is frozen it takes off the weight gradients that nobody forms.
  virtual void cost(const Shape& prepared, const Optimizer& optimizer, Cost& cost) const = 0;
  // The moments mean something beyond the job: a client may keep them between its rounds, so many
  // bytes. Those of codes, say, do not.
  virtual bool keeps_moments() const { return sends_what_it_trains(); }
  virtual Bytes kept_moments(const Shape& prepared, const Optimizer& optimizer) const {
    return optimizer.state_bytes(*update_layout(prepared));
  }

  // update() is the change of parameters(): control variates and shifts make sense.
  virtual bool sends_what_it_trains() const { return true; }
  // parameters() and gradient() are of one layout: penalties and corrections make sense.
  virtual bool shows_gradient() const { return true; }
  // Forward passes that stand for a step's forward and backward; 0: a backward pass is made.
  virtual int forward_passes() const { return 0; }
  // Rounds for which a space lasts and a kept vector keeps its meaning.
  virtual int space_lasts() const { return std::numeric_limits<int>::max(); }
  // The parametrization of a round, where spaces are of several kinds: a coin picks the factor, or
  // the server chose these ranks (ChosenRanks; empty: none). Lives as long as this object.
  virtual const Parametrization& in_space(std::uint64_t /*seed*/, std::int64_t /*space*/,
                                          std::span<const std::uint16_t> /*ranks*/) const {
    return *this;
  }
  // How many ranks clients are told beside the seed, two bytes each.
  virtual std::size_t told_ranks(const Shape& /*prepared*/) const { return 0; }
  // start() draws something: clients are told the seed, and in a space's first round nothing else.
  virtual bool draws() const { return false; }
  // The frozen base changes at the end of each space, by what takes increment() bytes to say to a
  // device that holds the base before; nothing: only the whole base can be sent.
  virtual bool merges() const { return false; }
  virtual std::optional<Bytes> increment(const Shape& /*prepared*/) const { return {}; }
  // Over a base that is not stored dense: spaces after which it is prepared anew from the master.
  // Until then devices keep beside it what merging added.
  virtual std::int64_t prepared_lasts() const { return 1; }
  // What they keep after so many merges: bytes of flash, and whether it is a sum in bfloat16.
  virtual Bytes beside_base(const Shape& /*prepared*/, std::int64_t /*merges*/) const {
    return Bytes(0);
  }
  virtual bool rounds_beside() const { return false; }
  // The new adapters are not a step from the old ones: the server applies average() as it is.
  virtual bool replaces() const { return false; }
  // A part of what is trained never leaves the device (ClientState::personal): bytes of it.
  virtual Bytes personal_bytes(const Shape& /*prepared*/) const { return Bytes(0); }
  // What a job starts from: what it received, and its own part, new or kept.
  virtual Vector with_personal(const Vector& received, const Shape& /*prepared*/,
                               State& /*own*/) const {
    return received;
  }
  virtual void keep_personal(Weights&, State& /*own*/) const {}
  // The weights that a client with this part of its own uses.
  virtual Vector personal_model(const GlobalModel& model, Stream space, State& /*own*/) const {
    return merged(model, space);
  }
  // average() must know exactly what each client received.
  virtual bool needs_exact_download() const { return false; }
  // Its uploads have a format of their own, in the place of the plan's codec: of so many bytes, of
  // the weights after training and their update(), and back. Only models that were prepared.
  virtual bool own_upload() const { return false; }
  virtual Bytes upload_bytes(const Shape& /*prepared*/) const { return Bytes(0); }
  virtual Payload encode_upload(const Weights&, const Vector& /*update*/) const { return {}; }
  virtual Vector decode_upload(const Payload&, const Model& /*prepared*/) const { return {}; }
  // All clients must train the same shapes.
  virtual bool needs_equal_ranks() const { return false; }
};

}  // namespace skiff
