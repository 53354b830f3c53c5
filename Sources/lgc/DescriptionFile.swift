import Constraints
import Datasets
import Diagnostics
import Formats
import Layers
import Losses
import Model
import Optimizers
import Regularisers
import Training
import YAML

/// The description a command works on.
enum DescriptionFile {
  /// Every kind that lgc knows.
  static var catalogs: Catalogs {
    Catalogs(
      layers: LayersCatalog.all, constraints: ConstraintsCatalog.all, losses: LossesCatalog.all,
      adversarialLosses: LossesCatalog.adversarial, regularisers: RegularisersCatalog.all,
      optimizers: OptimizersCatalog.all, datasets: DatasetsCatalog.all,
      augmentations: AugmentationsCatalog.all)
  }

  /// Reads a description; `-` is standard input.
  static func read(_ path: String) throws(DiagnosticError) -> SourceFile {
    try readDescription(path)
  }

  /// The experiment of a description that stands in a run directory.
  static func experiment(_ path: String) throws -> Experiment {
    let (experiment, diagnostics) = loadExperiment(
      try read(path), catalogs: catalogs, directory: directory(of: path))
    guard let experiment else { throw DescriptionErrors(diagnostics: diagnostics) }
    return experiment
  }

  /// Where relative paths in a run's description start: the folder that it was read from.
  static func home(of run: RunDirectory) -> String {
    guard let bytes = try? InputFile.bytes(run.record), let json = try? JSON(bytes),
      let folder = json["folder"]?.string
    else { return "." }
    return folder
  }

  /// The classifier of a finished run.
  static func classifier(
    _ run: RunDirectory, _ machine: MachineOptions
  ) throws -> FeatureClassifier {
    guard run.isComplete else {
      throw DiagnosticError(
        Diagnostic(.noRun, "`\(run.path)` is no complete run", at: nil))
    }
    return try FeatureClassifier(
      experiment(run.resolved), run: run, engine: machine.engine.engine, threads: machine.threads)
  }

  /// Where relative paths in the description start: its own folder, for standard input the
  /// current one.
  static func directory(of path: String) -> String {
    guard path != "-", let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}
