#include "algorithms/client_context.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "algorithms/kernels/reduce.h"
#include "algorithms/prepare.h"
#include "sim/core/distributions.h"

namespace skiff {

State& ClientState::codec_of(SectionId section) {
  for (auto& [id, state] : codec) {
    if (id == section) return state;
  }
  return codec.emplace_back(section, State()).second;
}

void ClientState::enter(std::int64_t next) {
  if (next == space) return;
  space = next;
  method = State();
  optimizer = State();
  personal = State();
  codec.clear();
}

Bytes ClientState::bytes() const {
  Bytes total = method.bytes() + optimizer.bytes() + personal.bytes();
  for (const auto& [id, state] : codec) total += state.bytes();
  return total;
}

ClientContext::ClientContext(const Job& job, Weights& weights, Workspace& workspace)
    : job_(job), weights_(weights), workspace_(workspace) {
  const std::int64_t n = samples();
  batch_ = job.plan.work.batch_of(n);
  steps_per_epoch_ = std::max<std::int64_t>(1, (n + batch_ - 1) / batch_);
  learning_rate_ = job.plan.optimizer->learning_rate(job.round, job.composition.horizon);
  const bool keeps = job.plan.optimizer->client_state() == ClientStatePolicy::kPersistent;
  optimizer_state_ = keeps ? &job.state.optimizer : &optimizer_scratch_;
  order_.assign(job.shard.rows.begin(), job.shard.rows.end());
}

Batch ClientContext::batch_of(std::int64_t step) {
  const std::int64_t epoch = step / steps_per_epoch_;
  // A full batch needs no order: its sum runs over the shard as it is.
  if (epoch != epoch_ && batch_ < samples()) {
    std::copy(job_.shard.rows.begin(), job_.shard.rows.end(), order_.begin());
    Stream stream = job_.stream.child("shuffle", static_cast<std::uint64_t>(epoch));
    shuffle(stream, std::span(order_));
  }
  epoch_ = epoch;
  const std::int64_t first = step % steps_per_epoch_ * batch_;
  const auto count = static_cast<std::size_t>(std::min<std::int64_t>(batch_, samples() - first));
  rows_.gather(*job_.shard.samples,
               std::span(order_).subspan(static_cast<std::size_t>(first), count));
  return rows_.batch();
}

double ClientContext::differentiate(const Batch& batch, const Vector* at) {
  weights_.clear_gradient();
  workspace_.reset();
  std::vector<float> kept;
  if (at != nullptr) {
    kept = weights_.parameters().values;
    weights_.parameters().values = at->values;
  }
  const double loss = weights_.forward_only()
                          ? weights_.probe([&] { return forward_loss(batch); })
                          : architecture().loss_and_gradient(weights_, batch, workspace_);
  if (at != nullptr) weights_.parameters().values = std::move(kept);
  weights_.after_gradient();
  return loss;
}

double ClientContext::forward_loss(const Batch& batch) {
  workspace_.reset();
  const Evaluation e = architecture().evaluate(weights_, batch, workspace_);
  return e.loss / static_cast<double>(std::max<std::int64_t>(e.rows, 1));
}

void ClientContext::gradient(std::int64_t step, const Vector* at) {
  const Batch batch = batch_of(step);
  weights_.begin_step(job_.stream.child("step", static_cast<std::uint64_t>(step)));
  count_loss(differentiate(batch, at));
}

void ClientContext::gradient(std::int64_t step, const LossOf& loss) {
  Batch batch = batch_of(step);
  const auto first = static_cast<std::size_t>(step % steps_per_epoch_ * batch_);
  batch.loss = &loss(std::span(order_).subspan(first, static_cast<std::size_t>(batch.size())));
  weights_.begin_step(job_.stream.child("step", static_cast<std::uint64_t>(step)));
  count_loss(differentiate(batch, nullptr));
}

void ClientContext::full_gradient(const Vector* at) {
  rows_.gather(*job_.shard.samples, job_.shard.rows);
  count_loss(differentiate(rows_.batch(), at));
}

void ClientContext::clipped_gradient(std::int64_t step, double clip, const Vector* at) {
  const int count = batch_of(step).size();
  weights_.begin_step(job_.stream.child("step", static_cast<std::uint64_t>(step)));
  const auto first = static_cast<std::size_t>(step % steps_per_epoch_ * batch_);
  std::vector<double> sum(weights_.gradient().values.size());
  double loss = 0;
  for (std::size_t i = first; i < first + static_cast<std::size_t>(count); ++i) {
    rows_.gather(*job_.shard.samples, std::span(order_).subspan(i, 1));
    loss += differentiate(rows_.batch(), at) / count;
    const std::vector<float>& g = weights_.gradient().values;
    const double norm = std::sqrt(kernels::squared_norm_double(g));
    kernels::axpy(sum, (norm > clip ? clip / norm : 1) / count, g);
  }
  std::transform(sum.begin(), sum.end(), weights_.gradient().values.begin(),
                 [](double x) { return static_cast<float>(x); });
  count_loss(loss);
}

void ClientContext::count_loss(double loss) {
  loss_sum_ += loss;
  ++loss_count_;
  finite_ = finite_ && std::isfinite(loss);
}

void ClientContext::step(const Correct& correct) {
  Vector& w = weights_.parameters();
  Vector& g = weights_.gradient();
  const auto slice_of = [](auto& values, const Slice& s) {
    return std::span(values).subspan(s.offset, s.size());
  };
  if (correct) {
    for (const Slice& s : w.layout->slices) {
      correct(s, slice_of(w.values, s), slice_of(g.values, s));
    }
  }
  if (job_.plan.work.clip_norm) {
    const double norm = std::sqrt(kernels::squared_norm_double(g.values));
    if (norm > *job_.plan.work.clip_norm) {
      const auto factor = static_cast<float>(*job_.plan.work.clip_norm / norm);
      for (float& x : g.values) x *= factor;
    }
  }
  const Optimizer& optimizer = *job_.plan.optimizer;
  const bool stepped = weights_.step(optimizer, learning_rate_, *optimizer_state_);
  for (std::size_t t = 0; t < w.layout->slices.size() && !stepped; ++t) {
    if (weights_.moves_itself(t)) continue;
    const Slice& s = w.layout->slices[t];
    const std::span<float> values = slice_of(w.values, s);
    optimizer.step(s, values, slice_of(g.values, s), learning_rate_, *optimizer_state_);
    if (last_) optimizer.finish(s, values, learning_rate_, *optimizer_state_);
  }
  weights_.after_step();
}

void ClientContext::train(const Correct& correct) {
  const bool fusable = !correct && job_.plan.optimizer->plain_sgd() && !job_.plan.work.clip_norm &&
                       architecture().l2() == 0 && architecture().fusable();
  const bool fused = fusable && weights_.fuse_sgd(static_cast<float>(learning_rate_));
  for (std::int64_t s = 0; s < steps(); ++s) {
    gradient(s);
    last_ = s + 1 == steps();
    if (!fused) step(correct);
  }
  if (fused) weights_.fuse_sgd(0);
}

Vector ClientContext::read(SectionId section, const LayoutPtr& layout) const {
  const Payload* payload = job_.message.find(section);
  SKIFF_CHECK(payload != nullptr, "no such section in the message: " + section_name(section));
  return decode_wire(*job_.plan.down, job_.composition, job_.plan, job_.message.base.get(), layout,
                     *payload);
}

void ClientContext::send(SectionId section, Vector& values) {
  send(section, values, job_.plan.up->in_round(job_.composition.seed, job_.round));
}

void ClientContext::send(SectionId section, Vector& values, const Codec& codec) {
  // A diverged update is reported, not encoded: codecs are defined for finite numbers only.
  finite_ = finite_ && kernels::all_finite(values.values);
  if (!finite_) return;
  const Stream stream = job_.stream.child(section_name(section));
  upload.sections.emplace_back(
      section, encode_wire(codec, job_.composition, job_.plan, job_.message.base.get(), values,
                           job_.state.codec_of(section), stream));
}

void ClientContext::send_bytes(SectionId section, Payload payload) {
  upload.sections.emplace_back(section, std::move(payload));
}

void ClientContext::send_as_it_is(SectionId section, const Vector& update,
                                  const std::function<Payload()>& encode) {
  finite_ = finite_ && kernels::all_finite(update.values);
  if (finite_) upload.sections.emplace_back(section, encode());
}

double ClientContext::train_loss() const {
  if (loss_count_ == 0) return std::numeric_limits<double>::quiet_NaN();
  return loss_sum_ / static_cast<double>(loss_count_);
}

}  // namespace skiff
