extension Program {
  /// All passes to a fixpoint, the verifier after each. The meaning over the real numbers is kept,
  /// and so are derivatives: a program may be differentiated afterwards, `stop_gradient` is left
  /// where it is. Nodes stay in topological order, in the order of their first appearance where the
  /// passes leave it open; every input leaf stays, used or not.
  public func optimized() -> Program {
    let passes: [(Program) -> Program] = [
      { $0.simplified() }, { $0.withScalarsOutOfContractions() },
      { $0.withoutCommonSubexpressions() }, { $0.withoutDeadCode() },
    ]
    var program = self
    program.checked()
    // Rules remove work or move it outward, so this ends; the limit is a fuse.
    for _ in 0..<16 {
      let before = program.graph.nodes
      for pass in passes {
        program = pass(program)
        program.checked()
      }
      if program.graph.nodes == before { break }
    }
    return program
  }

  private func checked() {
    do throws(VerifierError) { try verify() } catch { fatalError(error.description) }
  }
}
