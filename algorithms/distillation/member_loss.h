// What a member of B-DISTIL minimises so that its edges become positive (game.h): with l = f - g of
// an entry, s the sign of K+ - K-, G the largest residual, each a mean over samples and outputs of
// N times
//   regression   (K+ + K-) (f - y)^2 / 2, y = g + push R / max |R|: the answers lean to what is
//                still missing
//   log-barrier  (K+ + K-) (l^2 / 2 - G^2 log(1 + s l / 2G)): every entry pays for answering on the
//                wrong side, without end towards -2G (from 1.8 G on along a straight line); the
//                paper's relaxation of the weak-learning condition, with l^2 / 2 against answers
//                without end on the right side, which is our choice
//   edge-hinge   (K+ + K-) l^2 / 2, and G max(0, -edge_j) by output: pushes only where the
//                condition fails; the edge is that of the batch, so the hinge is a biased one
// While nobody has answered K+ = K-, and all three are the mean square of the logits' error.
// Not thread-safe: one object a job.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "algorithms/distillation/progressive.h"
#include "algorithms/models/losses.h"

namespace skiff::distillation {

class MemberLoss : public LogitLoss {
 public:
  // Entries are samples x outputs, in the order of `rows`.
  MemberLoss(const Said& said, std::span<const float> teacher, std::span<const double> gaps,
             std::span<const std::uint32_t> rows);
  // For a batch of these rows of the data set.
  const LogitLoss& of(std::span<const std::uint32_t> rows) {
    rows_ = rows;
    return *this;
  }

 protected:
  Weight weight(std::size_t entry) const;
  double scaled(double k) const { return static_cast<double>(said_.samples) * k; }
  // First entry of the batch's sample i.
  std::size_t first(int i) const;
  double share(int samples) const { return 1.0 / samples / static_cast<double>(outputs()); }
  std::size_t outputs() const { return said_.all.sum.size(); }

  const Said& said_;
  std::span<const float> teacher_;
  std::span<const double> gaps_;

 private:
  std::unordered_map<std::uint32_t, std::size_t> place_;
  std::span<const std::uint32_t> rows_;
};

// The loss of this name. What it is made of must outlive it. push: of regression, in logits.
std::unique_ptr<MemberLoss> member_loss(const std::string& name, const Said& said,
                                        std::span<const float> teacher,
                                        std::span<const double> gaps,
                                        std::span<const std::uint32_t> rows, double push);

}  // namespace skiff::distillation
