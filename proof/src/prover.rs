//! One running solver, and the law's and the claims' rules put before it: does any request pass both?

use cedar_policy::{Policy, PolicyId, PolicySet, RequestEnv, Schema};
use cedar_policy_symcc::{CedarSymCompiler, CompiledPolicySet, Env, solver::LocalSolver};
use tokio::runtime::{Builder, Runtime};

/// How long the solver may think about one question, in milliseconds; the slowest took a tenth of a second.
const MILLIS_PER_QUESTION_MAX: u32 = 60_000;

/// Why a question has no answer. No answer is never taken for a proof.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    #[error(
        "the solver does not start ({0}): install cvc5 (`apt-get install cvc5`), or name its program in the variable CVC5"
    )]
    NoSolver(String),
    #[error("the solver did not decide ({0}); ask it alone, or use a newer cvc5 by the variable CVC5")]
    Undecided(Box<cedar_policy_symcc::err::Error>),
    #[error("rules and schema do not go together ({0}): the law pack is checked by `vigie law check`")]
    Rules(String),
}

/// A solver's process and the translation into its language.
pub struct Prover {
    runtime: Runtime,
    compiler: CedarSymCompiler<LocalSolver>,
}

impl Prover {
    /// Starts the solver that the variable CVC5 names, or else `cvc5`; it ends with this value.
    ///
    /// # Errors
    /// [`ProofError::NoSolver`].
    pub fn start() -> Result<Prover, ProofError> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| ProofError::NoSolver(error.to_string()))?;
        let solver = {
            let _inside = runtime.enter();
            LocalSolver::cvc5_with_args([format!("--tlimit-per={MILLIS_PER_QUESTION_MAX}")])
        };
        let solver = solver.map_err(|error| ProofError::NoSolver(error.to_string()))?;
        let compiler = CedarSymCompiler::new(solver).map_err(undecided)?;
        Ok(Prover { runtime, compiler })
    }

    /// A request of this environment that both sets of rules allow; none is a proof that there is none.
    ///
    /// # Errors
    /// [`ProofError`] where the solver gives up or the rules are none of the schema.
    pub fn allowed_by_both(&mut self, one: &Rules, other: &Rules) -> Result<Option<Env>, ProofError> {
        let asked = self.compiler.check_disjoint_with_counterexample_opt(&one.compiled, &other.compiled);
        self.runtime.block_on(asked).map_err(undecided)
    }

    /// A request of this environment that these rules allow; none is a proof that there is none.
    ///
    /// # Errors
    /// As [`Prover::allowed_by_both`].
    pub fn allowed(&mut self, rules: &Rules) -> Result<Option<Env>, ProofError> {
        let asked = self.compiler.check_always_denies_with_counterexample_opt(&rules.compiled);
        self.runtime.block_on(asked).map_err(undecided)
    }
}

/// Rules as the solver takes them, of one environment: one action, its kinds of person and camera.
pub struct Rules {
    compiled: CompiledPolicySet,
}

impl Rules {
    /// # Errors
    /// [`ProofError::Rules`].
    pub fn of(set: &PolicySet, environment: &RequestEnv, schema: &Schema) -> Result<Rules, ProofError> {
        let compiled = CompiledPolicySet::compile(set, environment, schema);
        Ok(Rules { compiled: compiled.map_err(|error| ProofError::Rules(format!("{error:?}")))? })
    }
}

/// Permits, each under the name of its claim.
///
/// # Errors
/// [`ProofError::Rules`].
pub fn permits<'a>(claims: impl IntoIterator<Item = (&'a str, String)>) -> Result<PolicySet, ProofError> {
    let mut set = PolicySet::new();
    for (name, text) in claims {
        let malformed = |what: String| ProofError::Rules(format!("claim `{name}`: {what}: {text}"));
        let policy = Policy::parse(Some(PolicyId::new(name)), &text).map_err(|error| malformed(error.to_string()))?;
        set.add(policy).map_err(|error| malformed(error.to_string()))?;
    }
    Ok(set)
}

fn undecided(error: cedar_policy_symcc::err::Error) -> ProofError {
    ProofError::Undecided(Box::new(error))
}
