#pragma once
// What the user asked for, resolved: the YAML reader fills these, everything below reads them. Units: nm, ps, kJ/mol, K, bar,
// Da.
#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "uplift/model/bias.hpp"
#include "uplift/model/force_groups.hpp"

namespace uplift {

enum class NonbondedMethod { pme, reaction_field, no_cutoff };
enum class GbModel { hct, obc1, obc2, gbn, gbn2 };
inline constexpr std::array<const char*, 5> gb_model_names{"hct", "obc1", "obc2", "gbn", "gbn2"};
enum class SurfaceModel { none, ace };
enum class ConstraintMode { none, h_bonds, all_bonds, h_angles };
enum class IntegratorKind { verlet, langevin, nose_hoover, v_rescale };
enum class Precision { mixed, double_ };

struct PmeSettings {
  double tolerance = 5e-4;
  std::optional<double> alpha;  ///< [1/nm]; given together with grid
  std::optional<std::array<int, 3>> grid;
  int order = 5;  ///< 4, 5 or 6
  bool operator==(const PmeSettings&) const = default;
};

struct ImplicitSolventSettings {
  GbModel model = GbModel::obc2;
  double solute_dielectric = 1.0;
  double solvent_dielectric = 78.5;
  double salt = 0;  ///< [mol/L]
  SurfaceModel surface = SurfaceModel::ace;
  bool operator==(const ImplicitSolventSettings&) const = default;
};

struct ForceSettings {
  NonbondedMethod nonbonded = NonbondedMethod::pme;
  double cutoff = 0.9;                    ///< [nm]
  std::optional<double> switch_distance;  ///< [nm]
  bool dispersion_correction = true;      ///< periodic systems only
  PmeSettings pme;
  double reaction_field_dielectric = 78.5;
  std::optional<ImplicitSolventSettings> implicit_solvent;
  ConstraintMode constraints = ConstraintMode::h_bonds;
  bool rigid_water = true;
  std::optional<double> hydrogen_mass;  ///< [Da]
  bool operator==(const ForceSettings&) const = default;
};

struct RestraintSettings {
  std::string selection;  ///< "protein-heavy"
  double k = 0;           ///< [kJ/mol/nm^2]
};

enum class BarostatKind { monte_carlo, c_rescale };
enum class PressureCoupling { isotropic, semi_isotropic, anisotropic };
struct PressureSettings {
  BarostatKind barostat = BarostatKind::monte_carlo;
  double pressure = 1;  ///< target [bar]
  int every = 25;       ///< steps
  PressureCoupling coupling = PressureCoupling::isotropic;
  double relaxation_time = 5;       ///< of c-rescale [ps]
  double compressibility = 4.5e-5;  ///< of c-rescale [1/bar]: scales the relaxation time, not the ensemble
};

/// The thermostat's target goes from one temperature [K] to the other, linearly over `time` [ps] from the start of the stage.
struct TemperatureRamp {
  double from, to, time;
};

struct DynamicsSettings {
  IntegratorKind integrator = IntegratorKind::langevin;
  double timestep = 0.002;   ///< [ps]
  double temperature = 300;  ///< [K]
  double friction = 1;       ///< [1/ps]
  std::uint64_t seed = 0;
  double constraint_tolerance = 1e-6;  ///< relative
  int com_removal_every = 100;         ///< steps; 0: never
  std::optional<PressureSettings> pressure;
  std::optional<TemperatureRamp> ramp;  ///< takes the place of temperature
  std::vector<ForceLevel> levels;       ///< of multiple time steps; empty: one step for all. timestep is the outer step

  /// In an outer step: the largest `every`.
  int inner_steps() const {
    int n = 1;
    for (const ForceLevel& level : levels) n = level.every > n ? level.every : n;
    return n;
  }
};

/// Temperature replica exchange (sampling/replica_exchange): replica k keeps temperature k, configurations move.
struct ExchangeSettings {
  std::vector<double> temperatures;  ///< [K], ascending, one a replica
  double every = 1;                  ///< between attempts [ps]
  double after = 0;                  ///< no attempt before this time of the stage [ps]
};

struct MinimizeSettings {
  int max_steps = 1000;
  double force_tolerance = 10;  ///< largest force component that ends it [kJ/mol/nm]
};

enum class BiasBoost { dihedral, total, dual };
enum class BiasRule { residues, deviations };
enum class GamdBound { lower, upper };
/// A bias as asked for: its parameters, or where they come from (sampling/bias_rules).
struct BiasSettings {
  BiasMethod method = BiasMethod::amd;
  BiasBoost boost = BiasBoost::dual;
  BiasConvention convention = BiasConvention::amber;
  std::string from;  ///< stage whose statistics give the parameters; empty: they are given
  Bias given;
  BiasRule rule = BiasRule::residues;            ///< of aMD
  double deviations = 4;                         ///< k of BiasRule::deviations
  double per_residue = 0, per_atom = 0;          ///< of BiasRule::residues [kJ/mol]
  GamdBound bound = GamdBound::lower;            ///< of GaMD, as the next two
  double sigma0_dihedral = 0, sigma0_total = 0;  ///< [kJ/mol]
  double update_every = 0;                       ///< [ps] of GaMD: how often parameters follow the statistics; 0: never

  bool boosts_dihedral() const { return boost != BiasBoost::total; }
  bool boosts_total() const { return boost != BiasBoost::dihedral; }
};

/// One stage with everything it inherits already applied.
struct StageSettings {
  std::string name;
  double time = 0;  ///< total length [ps]; 0 for a minimisation
  std::optional<MinimizeSettings> minimize;
  ForceSettings forces;
  DynamicsSettings dynamics;
  std::optional<RestraintSettings> restraints;
  bool collect = false;  ///< statistics of the energies that a boost sees, for later stages
  std::optional<BiasSettings> bias;
  std::optional<ExchangeSettings> exchange;
  std::string settings;  ///< all that decides the course of the stage but its length, a line a key
};

struct OutputSettings {
  std::string directory;
  double trajectory_every = 2;               ///< [ps]; 0: none
  bool velocities = false, forces = false;   ///< stored beside positions
  std::optional<double> position_precision;  ///< [nm], lossy rounding
  double energies_every = 0.2;               ///< [ps]
  bool report = true;                        ///< report.html
  std::string atoms = "all";
  double checkpoint_every = 900;  ///< [s] of wall-clock time
};

/// A free-energy surface of the run, made when it has finished (sampling/free_energy).
struct FreeEnergySettings {
  std::string name;  ///< of its files in the output directory
  std::vector<std::string> variables, stages;
  std::string method;  ///< empty: as the stages want it
  int order = 0;       ///< 0: the method's default
  std::vector<int> bins;
  double discard = 0;  ///< [ps] of each stage
  int bootstrap = 100, cutoff = 10;
};

struct ComputeSettings {
  std::string backend = "auto";  ///< auto cuda cpu simt
  Precision precision = Precision::mixed;
  int threads = 0;            ///< 0: as many as the process may use
  std::vector<int> devices;   ///< GPUs that ranks and replicas take in turns, as this process counts them; empty: all
  int replicas = 1;           ///< copies of the run, each with noise of its own
  int ranks_per_replica = 0;  ///< 0: all ranks, where there is one replica; one, where there are several
  int mesh_ranks = 0;         ///< of those of a replica, that transform the PME mesh; 0: as many as are quickest
  int turn = 0;               ///< of this replica among those of its process
};

struct SystemSettings {
  std::string topology;  ///< absolute paths
  std::string coordinates;
  std::vector<std::string> forcefield;       ///< XML files, with a PDB or mmCIF topology
  std::vector<std::string> parameters;       ///< absolute paths, with a PSF
  std::vector<std::string> define, include;  ///< words, and absolute paths of folders, with a GROMACS topology
  std::optional<std::array<double, 6>> box;  ///< lengths [nm] and angles [rad]
  std::array<int, 3> copies{1, 1, 1};        ///< of the box, along a, b and c
};

/// A whole input file, resolved and checked.
struct RunInput {
  std::string file;  ///< the YAML's path
  std::string title;
  SystemSettings system;
  ForceSettings forces;
  DynamicsSettings dynamics;
  std::vector<StageSettings> stages;
  OutputSettings output;
  std::vector<FreeEnergySettings> free_energies;
  ComputeSettings compute;
  std::vector<std::string> warnings;  ///< settings that are allowed and known to be unwise, with the reason
  /// Some stage has a boost.
  bool has_bias() const {
    return std::any_of(stages.begin(), stages.end(), [](const StageSettings& s) { return s.bias.has_value(); });
  }
  /// Some stage has a boost, or some stage gathers what one needs.
  bool collects() const {
    return has_bias() || std::any_of(stages.begin(), stages.end(), [](const StageSettings& s) { return s.collect; });
  }
  /// Some stage exchanges replicas.
  bool exchanges() const {
    return std::any_of(stages.begin(), stages.end(), [](const StageSettings& s) { return s.exchange.has_value(); });
  }
  /// Every frame of the trajectory has the energies that reweighting needs: of a bias, or of several temperatures.
  bool frames_have_energies() const { return has_bias() || exchanges(); }
  /// Where given keys stand, by path ("forces.cutoff", "stages.go.restraints.positions"): "in.yaml:7", "--set
  /// forces.cutoff=..."
  std::map<std::string, std::string> places;
  std::string resolved;  ///< the fully resolved input as YAML text, for the log and the output files
};

}  // namespace uplift
