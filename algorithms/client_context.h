// All that a client may touch while it trains: its decoded message, its shard, its own state, a
// random stream. One object a job, on one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "algorithms/plan.h"
#include "algorithms/server.h"

namespace skiff {

// What a client keeps between participations; charged to its device's flash.
struct ClientState {
  State method;
  State optimizer;                                 // if its policy is persistent
  State personal;                                  // the parametrization's: what never leaves
  std::vector<std::pair<SectionId, State>> codec;  // error feedback, shifts: one a section sent
  std::int64_t space = 0;                          // that the vectors are of
  // Vectors of another space are forgotten.
  void enter(std::int64_t next);
  State& codec_of(SectionId section);
  Bytes bytes() const;
};

// The client's samples: row numbers of the shared data set.
struct Shard {
  const Samples* samples = nullptr;
  std::span<const std::uint32_t> rows;
};

// Runs on each slice just before its optimizer step: (slice, w, g) -> may change g.
using Correct = std::function<void(const Slice&, std::span<const float> w, std::span<float> g)>;

class ClientContext {
 public:
  // References are borrowed for the life of the job.
  struct Job {
    const Composition& composition;
    const Plan& plan;
    const Parametrization& adaptation;  // of this round's space
    ClientId client;
    std::int64_t round;  // version of the server at dispatch
    std::int64_t steps;  // known at dispatch
    Shard shard;
    const Message& message;
    const Vector& received;  // the model section, decoded
    ClientState& state;      // a copy: kept only if the update is accepted
    Stream stream;
    const Architecture* architecture = nullptr;  // of what was received; null: the plan's
  };
  ClientContext(const Job& job, Weights& weights, Workspace& workspace);

  const Composition& composition() const { return job_.composition; }
  const Plan& plan() const { return job_.plan; }
  const Architecture& architecture() const {
    return job_.architecture != nullptr ? *job_.architecture
                                        : job_.composition.architecture(job_.plan);
  }
  // Of what this client trains and reports.
  LayoutPtr update_layout() const { return job_.adaptation.update_layout(job_.plan.prepared); }
  const Vector& received() const { return job_.received; }
  const Message& message() const { return job_.message; }
  ClientId id() const { return job_.client; }
  std::int64_t round() const { return job_.round; }
  State& state() { return job_.state.method; }
  Weights& weights() { return weights_; }
  Stream stream(std::string_view purpose) const { return job_.stream.child(purpose); }
  std::int64_t steps() const { return job_.steps; }
  double learning_rate() const { return learning_rate_; }
  const Shard& shard() const { return job_.shard; }
  std::int64_t samples() const { return static_cast<std::int64_t>(job_.shard.rows.size()); }

  // Fills weights().gradient() for the batch of this step, at the current parameters or at another
  // point. Batches run through a fresh permutation of the shard each epoch.
  void gradient(std::int64_t step, const Vector* at = nullptr);
  // The same for another loss than the labels': of the batch with these rows of the data set.
  using LossOf = std::function<const LogitLoss&(std::span<const std::uint32_t> rows)>;
  void gradient(std::int64_t step, const LossOf& loss);
  // The same with each sample's gradient scaled to a norm of at most `clip` before the mean.
  void clipped_gradient(std::int64_t step, double clip, const Vector* at = nullptr);
  // The same of all samples at once, whatever the batch.
  void full_gradient(const Vector* at = nullptr);
  // One optimizer step on every slice, after `correct` and clipping.
  void step(const Correct& correct = {});
  // steps() times the two; plain SGD without correction is fused into the gradient, bit for bit.
  void train(const Correct& correct = {});

  // A dense section of the message (the codec's `down`), decoded.
  Vector read(SectionId section, const LayoutPtr& layout) const;
  // Encodes with the plan's `up` codec. Afterwards `values` is what the server will read.
  void send(SectionId section, Vector& values);
  // The same with a codec of the method's own.
  void send(SectionId section, Vector& values, const Codec& codec);
  // Bytes of the method's own.
  void send_bytes(SectionId section, Payload payload);
  // What `encode` makes, unless the update has diverged.
  void send_as_it_is(SectionId section, const Vector& update,
                     const std::function<Payload()>& encode);

  // Results.
  Message upload;
  double train_loss() const;  // mean over the steps so far; NaN if none
  // Greatest of the steps so far, of an optimizer that has error feedback (MicroAdam); else NaN.
  double contraction() const { return optimizer_state_->noted("contraction"); }
  bool finite() const { return finite_; }

 private:
  Batch batch_of(std::int64_t step);
  // Loss and gradient of a batch, at another point if asked.
  double differentiate(const Batch& batch, const Vector* at);
  double forward_loss(const Batch& batch);
  void count_loss(double loss);

  const Job& job_;
  Weights& weights_;
  Workspace& workspace_;
  State optimizer_scratch_;
  State* optimizer_state_;
  double learning_rate_ = 0;
  int batch_ = 1;
  std::int64_t steps_per_epoch_ = 1;
  std::int64_t epoch_ = -1;
  std::vector<std::uint32_t> order_;
  BatchRows rows_;
  double loss_sum_ = 0;
  std::int64_t loss_count_ = 0;
  bool finite_ = true;
  bool last_ = false;  // of train()'s steps
};

}  // namespace skiff
