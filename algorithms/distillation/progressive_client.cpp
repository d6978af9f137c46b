#include "algorithms/distillation/progressive_client.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "algorithms/distillation/teaching.h"
#include "algorithms/method_steps.h"
#include "algorithms/models/losses.h"

namespace skiff::distillation {
namespace {

// Weighted regression, as a mean over samples: N (K+ + K-) (f - y)^2 / (2 L), whose weights are 1
// on average: against nobody it is the mean square of the logits' error.
class Surrogate final : public LogitLoss {
 public:
  Surrogate(const Said& said, std::span<const float> teacher, std::span<const double> gaps,
            std::span<const std::uint32_t> rows, double push)
      : outputs_(said.all.sum.size()), weights_(gaps.size()), targets_(gaps.size()) {
    for (std::size_t i = 0; i < gaps.size(); ++i) {
      const std::size_t j = i % outputs_;
      weights_[i] =
          static_cast<double>(said.samples) * weight_of(gaps[i], said.eta, said.all, j).both();
      targets_[i] = target_of(teacher[i], gaps[i], said.eta, push, said.all, j);
    }
    for (std::size_t i = 0; i < rows.size(); ++i) place_[rows[i]] = i;
  }
  // For a batch of these rows of the data set.
  const LogitLoss& of(std::span<const std::uint32_t> rows) {
    rows_ = rows;
    return *this;
  }
  double operator()(kernels::MatrixView logits) const override {
    const double share = 1.0 / logits.rows / static_cast<double>(outputs_);
    double sum = 0;
    for (int i = 0; i < logits.rows; ++i) {
      const std::size_t at = place_.at(rows_[static_cast<std::size_t>(i)]) * outputs_;
      for (std::size_t j = 0; j < outputs_; ++j) {
        const double gap = double(logits[i][j]) - targets_[at + j], w = weights_[at + j];
        sum += w * gap * gap / 2 * share;
        logits[i][j] = static_cast<float>(w * gap * share);
      }
    }
    return sum;
  }

 private:
  std::size_t outputs_;
  std::vector<double> weights_, targets_;
  std::unordered_map<std::uint32_t, std::size_t> place_;
  std::span<const std::uint32_t> rows_;
};

}  // namespace

Bytes kept_by_sample(std::size_t outputs) {
  return Bytes(static_cast<std::int64_t>(outputs * (sizeof(float) + sizeof(double))));
}

Player::Player(ClientContext& context, double push)
    : context_(context),
      said_(Said::read(context.message())),
      push_(push),
      outputs_(said_.all.sum.size()),
      entries_(context.shard().rows.size() * outputs_) {}

void Player::play() {
  if (said_.phase == Phase::kTeach) learn_teacher();
  if (said_.phase == Phase::kTrain) train();
  if (said_.phase == Phase::kEdge) answer();
  if (said_.phase == Phase::kTake) take();
}

void Player::learn_teacher() {
  const std::vector<float> g = answers(context_.architecture(), context_.received(),
                                       *context_.shard().samples, context_.shard().rows, true);
  std::copy(g.begin(), g.end(), teacher().begin());
  std::fill(gaps().begin(), gaps().end(), 0.0);
  context_.send_bytes(kGameSection, packed({static_cast<double>(context_.samples())}));
}

void Player::train() {
  Surrogate loss(said_, teacher(), gaps(), context_.shard().rows, push_);
  for (std::int64_t s = 0; s < context_.steps(); ++s) {
    context_.gradient(
        s, [&](std::span<const std::uint32_t> rows) -> const LogitLoss& { return loss.of(rows); });
    context_.step();
  }
  Vector update(context_.received().layout);
  context_.weights().update(update);
  context_.send(kUpdateSection, update);
}

std::vector<double> Player::residuals() const {
  const std::vector<float> f = answers(context_.architecture(), context_.received(),
                                       *context_.shard().samples, context_.shard().rows, false);
  const std::span<const float> g = context_.state().array<float>("teacher", entries_);
  std::vector<double> l(f.size());
  for (std::size_t i = 0; i < l.size(); ++i) l[i] = double(f[i]) - double(g[i]);
  return l;
}

void Player::answer() {
  std::vector<double> l = residuals();
  const double limit = said_.limit > 0 ? said_.limit : std::numeric_limits<double>::max();
  context_.send_bytes(kGameSection,
                      packed(numbers_of(tally_of(gaps(), l, said_.eta, limit, said_.all))));
}

void Player::take() {
  const std::vector<double> l = residuals();
  const std::span<double> s = gaps();
  for (std::size_t i = 0; i < s.size(); ++i) {
    s[i] += std::clamp(l[i], -said_.limit, said_.limit);
  }
  context_.send_bytes(kGameSection, packed(numbers_of(normaliser_of(s, outputs_, said_.eta))));
}

}  // namespace skiff::distillation
