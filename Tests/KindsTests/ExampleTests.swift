import Diagnostics
import Model
import Testing

@Suite struct ExampleTests {
  @Test(arguments: trials.filter { $0.code == nil })
  func goodExamplesAreAccepted(_ trial: Trial) {
    let (experiment, diagnostics) = trial.load()
    #expect(experiment != nil, "\(diagnostics.map { "\($0.code.name): \($0.message)" })")
  }

  @Test(arguments: trials.filter { $0.code != nil })
  func failingExamplesFailAtTheirMark(_ trial: Trial) throws {
    let mark = try #require(trial.mark, "a failing example marks its fault")
    let errors = trial.load().diagnostics.filter { $0.severity == .error }
    #expect(errors.count == 1, "\(errors.map { "\($0.code.name): \($0.message)" })")
    let error = try #require(errors.first)
    #expect(error.code == trial.code)
    let span = try #require(error.span)
    #expect(span.start..<span.end == mark, "the caret is under '\(span.text)'")
  }

  @Test func everyKindHasAnExampleOfEachSort() {
    let kinds = Set(trials.map(\.kind))
    #expect(kinds == Set(unitTypes.map { $0.kind }))
    for kind in kinds {
      #expect(trials.contains { $0.kind == kind && $0.code == nil }, "\(kind)")
      #expect(trials.contains { $0.kind == kind && $0.code != nil }, "\(kind)")
    }
  }

  @Test func everyArgumentSaysWhatItIs() {
    for unit in unitTypes {
      #expect(!unit.summary.isEmpty && !unit.summary.hasSuffix("."), "\(unit.kind)")
      for argument in unit.arguments {
        #expect(argument.summary.hasSuffix("."), "\(unit.kind).\(argument.name)")
      }
      #expect(
        unit.shorthand.map { word in unit.arguments.contains { $0.name == word } } ?? true,
        "\(unit.kind)")
    }
  }
}

let unitTypes: [any CatalogUnit.Type] =
  catalogs.layers.map { $0 as any CatalogUnit.Type } + catalogs.constraints.map { $0 }
  + catalogs.losses.map { $0 } + catalogs.adversarialLosses.map { $0 }
  + catalogs.regularisers.map { $0 } + catalogs.optimizers.map { $0 }
  + catalogs.datasets.map { $0 } + catalogs.augmentations.map { $0 }
