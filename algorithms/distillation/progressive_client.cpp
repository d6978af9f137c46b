#include "algorithms/distillation/progressive_client.h"

#include <algorithm>
#include <limits>

#include "algorithms/distillation/member_loss.h"
#include "algorithms/distillation/teaching.h"
#include "algorithms/method_steps.h"

namespace skiff::distillation {

Bytes kept_by_sample(std::size_t outputs) {
  return Bytes(static_cast<std::int64_t>(outputs * (sizeof(float) + sizeof(double))));
}

Player::Player(ClientContext& context, std::string loss, double push)
    : context_(context),
      loss_(std::move(loss)),
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
  const std::unique_ptr<MemberLoss> loss =
      member_loss(loss_, said_, teacher(), gaps(), context_.shard().rows, push_);
  for (std::int64_t s = 0; s < context_.steps(); ++s) {
    context_.gradient(
        s, [&](std::span<const std::uint32_t> rows) -> const LogitLoss& { return loss->of(rows); });
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
