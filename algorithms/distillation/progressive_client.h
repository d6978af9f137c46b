// The client's half of the game: its samples' answers of the teacher and its gaps lie in its state
// ("teacher", 4 bytes an entry; "gaps", 8), and everything that it says of them is a sum.
// Thread-safe: one object a job.
#pragma once

#include <string>
#include <vector>

#include "algorithms/distillation/progressive.h"
#include "algorithms/federated_method.h"

namespace skiff::distillation {

// Bytes that a client keeps for each sample.
Bytes kept_by_sample(std::size_t outputs);

class Player {
 public:
  // loss, push: of members, see member_loss.h.
  Player(ClientContext& context, std::string loss, double push);
  // What this phase asks; sends the answer.
  void play();

 private:
  void learn_teacher();
  void train();
  void answer();
  void take();
  // The member's answers less the teacher's.
  std::vector<double> residuals() const;
  std::span<float> teacher() { return context_.state().array<float>("teacher", entries_); }
  std::span<double> gaps() { return context_.state().array<double>("gaps", entries_); }

  ClientContext& context_;
  const std::string loss_;
  const Said said_;
  const double push_;
  const std::size_t outputs_, entries_;
};

}  // namespace skiff::distillation
