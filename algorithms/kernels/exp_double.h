// exp, log and tanh in double precision, for sums whose differences matter: weights of a game over
// all samples, softened probabilities at high temperature.
//
// exp: x = n ln 2 + r, |r| <= ln 2 / 2, a Taylor polynomial of degree 13 in r, then a scaling by
// 2^n; log: one Halley step of exp from the single-precision logarithm; tanh: 1 - 2 / (e^2x + 1),
// and its series below 1e-3. Only +, *, / and exact scalings: the same bits on any machine.
// Relative errors (tested): 4e-16, 4e-16 (absolute near 1), 2e-15. NaN gives NaN; exp gives 0 below
// -708 and infinity above 709.7; log needs a normal single-precision argument. Thread-safe.
#pragma once

namespace skiff::kernels {

double exp_double(double x) noexcept;
double log_double(double x) noexcept;
double tanh_double(double x) noexcept;

}  // namespace skiff::kernels
