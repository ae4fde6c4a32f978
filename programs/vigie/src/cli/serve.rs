//! `vigie serve`, and the roles that it starts.

use super::{Context, Outcome};
use crate::{french, handover::Handover, roles};
use std::{
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// Runs until SIGTERM or SIGINT.
pub fn run(context: &Context<'_>) -> Outcome {
    log_to_stderr(context);
    let stop = Arc::new(AtomicBool::new(false));
    stop_on_signals(stop.clone())?;
    roles::supervise::run(context.build, &context.config_path, &context.config, &stop)?;
    Ok(ExitCode::SUCCESS)
}

/// One role, until `serve` closes its standard input.
pub fn role(context: &Context<'_>, role: &str) -> Outcome {
    log_to_stderr(context);
    let stop = Arc::new(AtomicBool::new(false));
    // a service manager may signal every process at once; the order to stop is the end of standard input
    stop_on_signals(Arc::default())?;
    let (build, config) = (context.build, &context.config);
    let handed = || Handover::take(&stop);
    let ended: Result<(), Box<dyn std::error::Error>> = match role {
        "keeper" => roles::keeper::run(build, config, handed()?, &stop).map_err(Into::into),
        "recorder" => roles::recorder::run(build, config, handed()?, &stop).map_err(Into::into),
        "web" => roles::web::run(build, config, handed()?, &stop).map_err(Into::into),
        "public" => {
            Handover::watch(&stop);
            roles::public::run(build, config, &stop).map_err(Into::into)
        }
        "auditor" => Handover::take_auditor(&stop)
            .map_err(Into::into)
            .and_then(|secret| roles::auditor::run(build, config, secret, &stop).map_err(Into::into)),
        other => Err(format!("there is no role `{other}`: keeper, recorder, web, auditor, public").into()),
    };
    match ended {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            let said = context.pick(french::message(&*error), error.to_string());
            tracing::error!(role, error = said, "the role ends");
            Ok(ExitCode::FAILURE)
        }
    }
}

/// One JSON object a line. Nothing personal and no secret reaches a log: such values do not print (domain::Sensitive).
fn log_to_stderr(context: &Context<'_>) {
    let filter = tracing_subscriber::EnvFilter::try_new(&context.config.log.level)
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let built = tracing_subscriber::fmt().json().with_writer(std::io::stderr).with_env_filter(filter).try_init();
    if let Err(error) = built {
        eprintln!("{error}");
    }
}

fn stop_on_signals(stop: Arc<AtomicBool>) -> Result<(), std::io::Error> {
    use tokio::signal::unix::{SignalKind, signal};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut terminate, mut interrupt) = {
        let _entered = runtime.enter();
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)
    };
    std::thread::spawn(move || {
        runtime.block_on(async {
            loop {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                stop.store(true, Ordering::SeqCst);
            }
        });
    });
    Ok(())
}
