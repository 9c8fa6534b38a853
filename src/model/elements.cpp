// Standard atomic weights: IUPAC 2021 (Prohaska et al., Pure Appl. Chem. 94, 573, 2022), abridged to at most five figures; for
// elements without one, the mass number of the longest-lived isotope.
#include <array>
#include <cmath>
#include <string_view>

#include "uplift/model/topology.hpp"

namespace uplift {
namespace {

struct Element {
  std::string_view symbol;
  double mass;
};

constexpr std::array<Element, 119> elements = {{
    {"X", 0},       {"H", 1.008},   {"He", 4.0026}, {"Li", 6.94},   {"Be", 9.0122}, {"B", 10.81},   {"C", 12.011},
    {"N", 14.007},  {"O", 15.999},  {"F", 18.998},  {"Ne", 20.180}, {"Na", 22.990}, {"Mg", 24.305}, {"Al", 26.982},
    {"Si", 28.085}, {"P", 30.974},  {"S", 32.06},   {"Cl", 35.45},  {"Ar", 39.95},  {"K", 39.098},  {"Ca", 40.078},
    {"Sc", 44.956}, {"Ti", 47.867}, {"V", 50.942},  {"Cr", 51.996}, {"Mn", 54.938}, {"Fe", 55.845}, {"Co", 58.933},
    {"Ni", 58.693}, {"Cu", 63.546}, {"Zn", 65.38},  {"Ga", 69.723}, {"Ge", 72.630}, {"As", 74.922}, {"Se", 78.971},
    {"Br", 79.904}, {"Kr", 83.798}, {"Rb", 85.468}, {"Sr", 87.62},  {"Y", 88.906},  {"Zr", 91.224}, {"Nb", 92.906},
    {"Mo", 95.95},  {"Tc", 97},     {"Ru", 101.07}, {"Rh", 102.91}, {"Pd", 106.42}, {"Ag", 107.87}, {"Cd", 112.41},
    {"In", 114.82}, {"Sn", 118.71}, {"Sb", 121.76}, {"Te", 127.60}, {"I", 126.90},  {"Xe", 131.29}, {"Cs", 132.91},
    {"Ba", 137.33}, {"La", 138.91}, {"Ce", 140.12}, {"Pr", 140.91}, {"Nd", 144.24}, {"Pm", 145},    {"Sm", 150.36},
    {"Eu", 151.96}, {"Gd", 157.25}, {"Tb", 158.93}, {"Dy", 162.50}, {"Ho", 164.93}, {"Er", 167.26}, {"Tm", 168.93},
    {"Yb", 173.05}, {"Lu", 174.97}, {"Hf", 178.49}, {"Ta", 180.95}, {"W", 183.84},  {"Re", 186.21}, {"Os", 190.23},
    {"Ir", 192.22}, {"Pt", 195.08}, {"Au", 196.97}, {"Hg", 200.59}, {"Tl", 204.38}, {"Pb", 207.2},  {"Bi", 208.98},
    {"Po", 209},    {"At", 210},    {"Rn", 222},    {"Fr", 223},    {"Ra", 226},    {"Ac", 227},    {"Th", 232.04},
    {"Pa", 231.04}, {"U", 238.03},  {"Np", 237},    {"Pu", 244},    {"Am", 243},    {"Cm", 247},    {"Bk", 247},
    {"Cf", 251},    {"Es", 252},    {"Fm", 257},    {"Md", 258},    {"No", 259},    {"Lr", 262},    {"Rf", 267},
    {"Db", 268},    {"Sg", 269},    {"Bh", 270},    {"Hs", 269},    {"Mt", 277},    {"Ds", 281},    {"Rg", 282},
    {"Cn", 285},    {"Nh", 286},    {"Fl", 290},    {"Mc", 290},    {"Lv", 293},    {"Ts", 294},    {"Og", 294},
}};
constexpr int last_element = static_cast<int>(elements.size()) - 1;

}  // namespace

std::string element_symbol(int atomic_number) {
  const bool known = atomic_number >= 1 && atomic_number <= last_element;
  return std::string(elements[known ? static_cast<std::size_t>(atomic_number) : 0].symbol);
}

int element_number(const std::string& symbol) {
  if (symbol.empty() || symbol.size() > 2) return 0;
  const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; };
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  std::string proper(1, upper(symbol[0]));
  if (symbol.size() == 2) proper += lower(symbol[1]);
  for (int n = 1; n <= last_element; ++n)
    if (elements[static_cast<std::size_t>(n)].symbol == proper) return n;
  return 0;
}

int element_from_mass(double mass) {
  if (!(mass >= 0.5) || !std::isfinite(mass)) return 0;
  int nearest = 1;
  for (int n = 2; n <= last_element; ++n)
    if (std::abs(element_mass(n) - mass) < std::abs(element_mass(nearest) - mass)) nearest = n;
  return nearest;
}

double element_mass(int atomic_number) {
  return atomic_number >= 1 && atomic_number <= last_element ? elements[static_cast<std::size_t>(atomic_number)].mass : 0;
}

}  // namespace uplift
