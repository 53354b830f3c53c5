import CPUEngine
import Diagnostics
import Formats
import Model
import Testing

@testable import Training

@Suite struct DivergenceTests {
  let folder = Folder()

  private func train(_ text: String) throws {
    let setup = try TrainingSetup(try experiment(text), directory: ".")
    let options = TrainingOptions(
      version: "test", engine: CPUEngine(), threads: 1, output: "\(folder.path)/a")
    _ = try TrainingRun(setup, options: options).run()
  }

  private let plain = moons.replacing("type: spectral, iterations: 1", with: "type: none")

  @Test func theLayerIsNamedInWhichTheFirstValueIsNotFinite() throws {
    // A weight of 1e30 or so: fc1 is finite, fc2 squares it.
    let text = plain.replacing("{type: adam, lr: 1e-2, schedule: cosine}", with: "{type: sgd, lr: 1e30}")
    let found = try diagnostic { try train(text) }
    #expect(found.code == .diverged)
    #expect(found.message.hasSuffix(" at step 2, in epoch 1"))
    #expect(found.notes.first == "the first values that are not finite are in `fc2`")
    let label = try #require(found.labels.first)
    #expect(text.utf8.count > label.span.end)
    #expect(label.span.text.contains("fc2"))
  }

  @Test func theUsableCheckpointIsNamedAndFinite() throws {
    // The rate leaps in the second epoch.
    let text = plain.replacing(
      "{type: adam, lr: 1e-2, schedule: cosine}",
      with: "{type: sgd, lr: 1e-3, schedule: {type: step, milestones: [25], factor: 1e30}}")
    let found = try diagnostic { try train(text) }
    #expect(found.code == .diverged)
    let path = "\(folder.path)/a/checkpoints/step-20.safetensors"
    #expect(found.notes.contains("the last usable checkpoint is `\(path)`"))
    #expect(found.notes.first?.hasPrefix("the first values that are not finite are in `fc") == true)
    let checkpoint = try Checkpoint(reading: path)
    #expect(checkpoint.firstBroken == nil && checkpoint.step == 20)
    #expect(Folder.names("\(folder.path)/a/checkpoints") == ["last", "step-20.safetensors"])
  }

  @Test func aStateThatIsNotFiniteIsNeverSaved() throws {
    let run = RunDirectory(path: folder.path)
    let setup = try TrainingSetup(try experiment(moons), directory: ".")
    let runner = try StepRunner(setup, engine: CPUEngine(), threads: 1, steps: 10)
    let origin = Checkpoint.Origin(
      version: "test", descriptionHash: "", engine: "cpu", threads: 1, processor: "")
    let store = CheckpointStore(
      run, CheckpointSection(), origin: origin, stepsPerEpoch: 20, totalSteps: 10, from: nil)
    try store.save(runner.executable, step: 1, loop: [:])
    try runner.executable.writeState("fc2.bias", [Float](repeating: 0, count: 31) + [.infinity])
    let found = try diagnostic { try store.save(runner.executable, step: 2, loop: [:]) }
    #expect(found.message == "`fc2.bias` is no longer finite after step 2")
    #expect(Folder.names(run.checkpoints) == ["last", "step-1.safetensors"])
  }
}
