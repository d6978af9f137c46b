// The method `progressive`, for its two sources: what is said (progressive.cpp), what comes of the
// answers (progressive_rounds.cpp). Immutable, thread-safe.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "algorithms/distillation/progressive_client.h"
#include "algorithms/distillation/teaching.h"
#include "algorithms/models/losses.h"

namespace skiff::distillation {

struct ProgressiveParams {
  ProgressiveParams();  // out of line: inlined, g++ 12 takes its strings for uninitialised
  int members = 3;
  TeacherParams teacher;
  std::string loss = "regression", grow = "failure", start = "fresh";
  int rounds_per_member = 5, attempts = 3;
  std::vector<Chosen<ModelFamily>> larger;
  bool boost = true;
  double push = 1;
  std::optional<double> range;
  std::vector<std::pair<std::string, int>> stored;
};

class Progressive final : public Distillation {
 public:
  explicit Progressive(ProgressiveParams params) : p_(std::move(params)) {}

  void join(Composition& c) const override;
  void start(const Composition& c, Server& server) const override;
  std::size_t model(const Composition& c, const Server& server, const Plan&) const override {
    return model_of(Game::load(server, outputs(c)));
  }
  Exchange exchange(const Composition&, const Server&, const Plan&, const Shape&,
                    ClientId) const override;
  void broadcast(const Composition&, const Server&, const Plan&, ClientId, Message&) const override;
  Vector received(const Composition&, const Plan&, const Message&) const override;
  void client(ClientContext& context) const override {
    if (context.message().find(kGameSection) != nullptr) Player(context, p_.loss, p_.push).play();
  }
  Server aggregate(const Composition&, const Server&, std::span<const Update>) const override;
  std::vector<Predictor> predictors(const Composition&, const Server&) const override;
  std::optional<Cost> phase_cost(const Composition&, const Server&, const Plan&, std::int64_t,
                                 std::int64_t) const override;
  // Members taken; of them weak: an edge stayed negative; by output the largest abs(F - g) over
  // what the certificate allows, the greatest (at most 1; NaN before the first member, or without a
  // game).
  std::vector<std::string> figure_names() const override {
    return {"members", "weak_members", "certificate_share"};
  }
  std::vector<double> figures(const Composition&, const Server&) const override;
  bool keeps_by_sample() const override { return true; }
  bool needs_everyone() const override { return true; }
  bool synchronous() const override { return true; }
  bool says_model_itself() const override { return true; }

 private:
  static std::size_t outputs(const Composition& c) {
    return static_cast<std::size_t>(outputs_of(c.models.front()->task()));
  }
  std::size_t teacher() const { return p_.larger.size() + 1; }
  std::size_t best() const { return teacher() + 1; }
  std::size_t taken(std::size_t member) const { return best() + 1 + member; }
  std::size_t model_of(const Game& game) const {
    return game.at.phase == Phase::kTeach ? teacher() : static_cast<std::size_t>(game.at.size);
  }
  void begin_candidate(const Composition& c, Game& game, Server& next) const;
  void count(std::span<const Update> updates, Game& game) const;
  void train(const Composition& c, std::span<const Update> updates, Game& game, Server& next) const;
  void judge(const Composition& c, std::span<const Update> updates, Game& game, Server& next) const;
  void fail(const Composition& c, Game& game, Server& next) const;
  void take(const Composition& c, std::span<const Update> updates, Game& game, Server& next) const;

  ProgressiveParams p_;
};

}  // namespace skiff::distillation
