#pragma once
// Pictures of free-energy surfaces and the page of a run. matplotlib draws them, as a program of its own: no number depends on
// it, and where it is missing a run loses nothing but its pictures.
#include <string>

namespace uplift {

/// STEM.png and STEM.svg of STEM.h5, as `uplift reweight` writes it. Returns why there is no picture and what to do about it;
/// empty: there is one.
std::string draw_free_energy(const std::string& stem);

/// report.html in the output directory of a run, from its files: one page that needs nothing else. The same return.
std::string write_report(const std::string& directory);

}  // namespace uplift
