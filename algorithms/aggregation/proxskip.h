// The recursion that Scaffnew and Sparse-ProxSkip share: Mishchenko et al. 2022, "ProxSkip: yes!
// local gradient steps provably lead to communication acceleration! finally!" (ICML;
// arXiv:2202.09357), algorithm 2 (Scaffnew).
//
//   each iteration:  x^_i = x_i - gamma (g_i(x_i) - h_i);   a shared coin of probability p:
//   1:  x_i = mean_j x^_j,   h_i <- h_i + (p / gamma) (x_i - x^_i)          0:  x_i = x^_i
//
// The server draws how many iterations pass until the coin shows 1 before it sends the model, so a
// round is that many local steps and one exchange. A client learns the mean of its round with the
// next broadcast: until then it keeps h_i - (p / gamma) x^_i in place of h_i, and the next model
// completes it. h_i is float64: the h_i sum to zero, which in single precision they would not
// for long. The server's model is float32; what its rounding leaves out is kept (float64) and added
// before the next rounding, so that the sum of the h_i never drifts: it is at most
// n (p / gamma) times half a unit in the last place of the model.
//
// State of a client: "proxskip.shift", n float64, and "proxskip.rate", one float64: p / gamma of
// the round that is not completed yet, or 0. Of the server: "proxskip.rounding", n float64.
#pragma once

#include <span>
#include <string>

#include "algorithms/federated_method.h"
#include "sim/core/schema.h"

namespace skiff::proxskip {

// Iterations up to and with the first coin that shows 1: geometric, mean 1 / probability.
std::int64_t drawn_steps(const Composition& composition, double probability, std::int64_t version);

// A client's h_i, while it works: completed with the mean that it received.
class Shift {
 public:
  Shift(State& state, std::span<const float> mean);
  // g <- g - h_i, for ClientContext::step.
  void correct(const Slice& slice, std::span<float> g) const;
  // The client ends its round at `local`, as the server will read it.
  void close(std::span<const double> local, double probability, double learning_rate);

 private:
  std::span<double> shift_, rate_;
};

Bytes state_bytes(std::size_t n);  // of a Shift

// sum of weight * vector / sum of weights, in client order, in double.
std::vector<double> mean_of(std::span<const Update> updates, std::span<const Vector> vectors);
// target <- float(mean), with what earlier roundings left out.
void round_to(std::span<const double> mean, State& server, std::span<float> target);

template <class Params>
void add_probability(Schema<Params>& s, const std::string& method) {
  s.field("communication_probability", &Params::communication_probability,
          "chance that a local step is followed by communication")
      .required("by " + method + "; skiff has no default that changes results")
      .fraction(1e-6);
}

}  // namespace skiff::proxskip
