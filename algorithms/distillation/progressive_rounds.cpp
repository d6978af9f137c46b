// What comes of the clients' answers, phase by phase.
#include <algorithm>
#include <cmath>
#include <limits>

#include "algorithms/distillation/progressive_method.h"
#include "algorithms/method_steps.h"
#include "algorithms/prepare.h"

namespace skiff::distillation {

ProgressiveParams::ProgressiveParams() = default;

Server Progressive::aggregate(const Composition& c, const Server& server,
                              std::span<const Update> updates) const {
  Server next = server;
  ++next.version;
  Game game = Game::load(server, outputs(c));
  switch (game.at.phase) {
    case Phase::kTeach:
      count(updates, game);
      begin_candidate(c, game, next);
      break;
    case Phase::kTrain:
      train(c, updates, game, next);
      break;
    case Phase::kEdge:
      judge(c, updates, game, next);
      break;
    case Phase::kTake:
      take(c, updates, game, next);
      break;
    case Phase::kDone:
      break;
  }
  game.save(next.state);
  return next;
}

void Progressive::begin_candidate(const Composition& c, Game& game, Server& next) const {
  const auto size = static_cast<std::size_t>(game.at.size);
  Vector& weights = next.models[size].weights;
  const bool same = !game.sizes.empty() && game.sizes.back() == game.at.size;
  if (p_.start == "previous" && same && game.at.tries == 0) {
    weights = next.models[taken(game.sizes.size() - 1)].weights;
  } else {
    c.models[size]->initialise(weights, Stream(c.seed, "distillation.member",
                                               static_cast<std::uint64_t>(game.at.attempt)));
  }
  ++game.at.attempt;
  game.at.trained = 0;
  game.at.phase = Phase::kTrain;
  game.at.key = next.version;
}

void Progressive::count(std::span<const Update> updates, Game& game) const {
  game.at.players = static_cast<std::int64_t>(updates.size());
  for (const Update& u : updates) {
    game.at.samples += static_cast<std::int64_t>(unpacked(*u.message.find(kGameSection))[0]);
  }
  game.all = Normaliser::start(game.at.samples, game.edge.size());
}

void Progressive::train(const Composition& c, std::span<const Update> updates, Game& game,
                        Server& next) const {
  Vector& weights = next.models[static_cast<std::size_t>(game.at.size)].weights;
  std::vector<Vector> changes;
  for (const Update& u : updates) {
    const Codec& codec = u.plan->up->in_round(c.seed, u.base->version);
    changes.push_back(
        decode_wire(codec, c, *u.plan, nullptr, weights.layout, *u.message.find(kUpdateSection)));
  }
  Vector mean(weights.layout);
  c.global().parametrization->average(updates, changes, mean);
  for (std::size_t i = 0; i < mean.values.size(); ++i) {
    weights.values[i] += static_cast<float>(c.server_learning_rate) * mean.values[i];
  }
  game.at.key = next.version;
  if (++game.at.trained == p_.rounds_per_member) game.at.phase = Phase::kEdge;
}

void Progressive::judge(const Composition& c, std::span<const Update> updates, Game& game,
                        Server& next) const {
  Tally tally = tally_from(unpacked(*updates.front().message.find(kGameSection)));
  for (const Update& u : updates.subspan(1)) {
    tally.merge(tally_from(unpacked(*u.message.find(kGameSection))));
  }
  if (game.at.limit == 0) {
    constexpr double kRoom = 1.5, kLeast = 1e-6;
    game.at.limit = p_.range.value_or(std::max(kLeast, kRoom * tally.largest));
    game.at.eta = p_.boost ? rate_of(game.at.samples, p_.members, game.at.limit) : 0;
  }
  constexpr double kRounding = -1e-12;
  const bool first_of_failed = game.at.best_size < 0;
  if (tally.least_edge() >= kRounding) {
    game.answer = tally;
    game.at.phase = Phase::kTake;
    return;
  }
  if (first_of_failed || tally.least_edge() > game.answer.least_edge()) {
    game.answer = tally;
    game.at.best_size = game.at.size;
    game.at.best_key = game.at.key;
    next.models[best()].weights = next.models[static_cast<std::size_t>(game.at.size)].weights;
  }
  fail(c, game, next);
}

void Progressive::fail(const Composition& c, Game& game, Server& next) const {
  if (++game.at.tries < p_.attempts) return begin_candidate(c, game, next);
  if (game.at.size < static_cast<std::int64_t>(p_.larger.size())) {
    ++game.at.size;
    game.at.tries = 0;
    return begin_candidate(c, game, next);
  }
  game.at.size = game.at.best_size;
  game.at.key = game.at.best_key;
  next.models[static_cast<std::size_t>(game.at.size)].weights = next.models[best()].weights;
  ++game.at.weak;
  game.at.phase = Phase::kTake;
}

std::vector<double> Progressive::figures(const Composition& c, const Server& server) const {
  const Game game = Game::load(server, outputs(c));
  const Progress& at = game.at;
  double most = std::numeric_limits<double>::quiet_NaN();
  for (std::size_t j = 0; at.member > 0 && at.eta > 0 && j < game.edge.size(); ++j) {
    const double error = game.all.most[j] / static_cast<double>(at.member);
    const double share =
        error / certificate(at.samples, at.member, at.eta, game.second[j], game.edge[j]);
    if (!(most >= share)) most = share;
  }
  return {static_cast<double>(at.member), static_cast<double>(at.weak), most};
}

// The certificate holds whatever the members answer: that it does not is a bug.
void Progressive::take(const Composition& c, std::span<const Update> updates, Game& game,
                       Server& next) const {
  Normaliser all = normaliser_from(unpacked(*updates.front().message.find(kGameSection)));
  for (const Update& u : updates.subspan(1)) {
    all.merge(normaliser_from(unpacked(*u.message.find(kGameSection))));
  }
  game.all = all;
  Progress& at = game.at;
  const auto size = static_cast<std::size_t>(at.size);
  next.models.push_back(next.models[size]);
  game.sizes.push_back(at.size);
  ++at.member;
  at.complete = at.complete && at.players == static_cast<std::int64_t>(updates.size()) ? 1 : 0;
  for (std::size_t j = 0; j < game.edge.size(); ++j) {
    game.second[j] += game.answer.second[j];
    game.edge[j] += game.answer.edge[j];
    if (game.at.eta == 0) continue;  // nobody plays
    const double bound = certificate(at.samples, at.member, at.eta, game.second[j], game.edge[j]);
    const double error = all.most[j] / static_cast<double>(at.member);
    SKIFF_CHECK(at.complete == 0 || !(error > bound + 1e-9 * std::abs(bound)),
                "the ensemble is further from its teacher than its certificate allows");
  }
  at.best_size = -1;
  at.tries = 0;
  if (at.member == p_.members) {
    at.phase = Phase::kDone;
    return;
  }
  const bool grows = p_.grow == "every-member";
  if (grows && at.size < static_cast<std::int64_t>(p_.larger.size())) ++at.size;
  begin_candidate(c, game, next);
}

}  // namespace skiff::distillation
