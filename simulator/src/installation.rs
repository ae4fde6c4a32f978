//! A whole town in a folder: the program as its users start it, its command line, its HTTP interface. For demo and tests.

use crate::{
    authenticator::Authenticator,
    dossier,
    persons::{AccountHolder, AccountHolders},
    rtsp::Credentials,
};
use domain::Sensitive;
use serde_json::{Value, json};
use std::{
    fs::{self, File},
    io::{self, Read, Write},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

/// How long the program may take to answer after it was started: it derives a key and opens what it has.
const ANSWER_PATIENCE: Duration = Duration::from_secs(60);
const STOP_PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(100);

/// Why an installation did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum InstallationError {
    #[error("cannot start `{program}`: {source}: `cargo build --bins` makes it", program = program.display())]
    NoProgram { program: PathBuf, source: io::Error },
    #[error("`vigie {arguments}` failed: {said}")]
    Command { arguments: String, said: String },
    #[error("{what}: {source}")]
    Io { what: String, source: io::Error },
    #[error("the program did not answer within {} s; its log is `{}`", ANSWER_PATIENCE.as_secs(), log.display())]
    Silent { log: PathBuf },
    #[error("{method} {path} answered {status}: {body}")]
    Http { method: &'static str, path: String, status: u16, body: String },
    #[error("{method} {path}: {source}")]
    Connection { method: &'static str, path: String, source: Box<ureq::Error> },
}

impl InstallationError {
    /// The status of an HTTP answer that was not a success.
    pub fn status(&self) -> Option<u16> {
        match self {
            InstallationError::Http { status, .. } => Some(*status),
            _ => None,
        }
    }
    /// The body of such an answer, where it is JSON.
    pub fn body(&self) -> Value {
        match self {
            InstallationError::Http { body, .. } => serde_json::from_str(body).unwrap_or(Value::Null),
            _ => Value::Null,
        }
    }
}

type Result<T> = std::result::Result<T, InstallationError>;

/// One installed site.
pub struct Installation {
    program: PathBuf,
    pub folder: PathBuf,
    pub port: u16,
    variables: Vec<(String, String)>,
    serving: Option<Child>,
    has_acts: AtomicBool,
    agent: ureq::Agent,
    pub persons: AccountHolders,
}

/// A signed-in person's browser.
pub struct Browser<'a> {
    installation: &'a Installation,
    cookie: Option<String>,
}

/// How a command ended and what it said.
#[derive(Debug)]
pub struct Attempt {
    /// Exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// An open stream of pictures; reading it takes what has come.
pub struct Stream {
    pub content_type: String,
    /// UTC of time 0, ISO 8601: header `Vigie-From`, live `Vigie-Start`.
    pub from: Option<String>,
    body: ureq::BodyReader<'static>,
}

impl Installation {
    /// Writes a configuration into `folder`; nothing is started. Port 0: any that is free.
    pub fn new(program: &Path, folder: &Path, name: &str, port: u16) -> Result<Installation> {
        let port = if port == 0 { free_port()? } else { port };
        fs::create_dir_all(folder).map_err(at("cannot make", folder))?;
        let path = |name: &str| folder.join(name).display().to_string();
        let config = format!(
            "[site]\nname = {name:?}\n\n[data]\nfolder = {:?}\n\n[keyring]\ncopies = [{:?}, {:?}]\npassphrase_file = {:?}\n\n\
             [store]\nfolder = {:?}\ngibibytes_max = 4\nslot_mebibytes = 8\n\n[cameras]\nports = \"1024-65535\"\n\n[web]\nlisten = \"127.0.0.1:{port}\"\n\n[session]\nidle_minutes = 30\n",
            path("data"),
            path("keyring-1"),
            path("keyring-2"),
            path("passphrase"),
            path("store"),
        );
        fs::write(folder.join("vigie.toml"), config).map_err(at("cannot write the configuration in", folder))?;
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        Ok(Installation {
            program: program.to_owned(),
            folder: folder.to_owned(),
            port,
            variables: Vec::new(),
            serving: None,
            has_acts: AtomicBool::new(false),
            agent,
            persons: AccountHolders::default(),
        })
    }

    /// A variable of the program's environment.
    pub fn variable(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn log(&self) -> PathBuf {
        self.folder.join("vigie.log")
    }

    /// `vigie init`; the administrator's setup token comes back.
    pub fn init(&self) -> Result<Sensitive<String>> {
        setup_token(&self.run(&["init"], None)?)
    }

    /// Starts `vigie serve` and waits until the console answers.
    pub fn serve(&mut self) -> Result<()> {
        self.start()?;
        self.answers()
    }

    /// Starts `vigie serve` and does not wait.
    pub fn start(&mut self) -> Result<()> {
        let log = File::options().create(true).append(true).open(self.log()).map_err(at("cannot open", &self.log()))?;
        let mut command = self.command(&["serve"]);
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        let no_program = |source| InstallationError::NoProgram { program: self.program.clone(), source };
        self.serving = Some(spawned.map_err(no_program)?);
        Ok(())
    }

    /// Waits until the console answers.
    pub fn answers(&self) -> Result<()> {
        let started = Instant::now();
        while started.elapsed() < ANSWER_PATIENCE {
            if self.nobody().get("/api/site").is_ok() {
                return Ok(());
            }
            thread::sleep(LOOK);
        }
        Err(InstallationError::Silent { log: self.log() })
    }

    /// SIGTERM, as an operator or systemd stops it, and its end.
    pub fn stop(&mut self) -> Result<()> {
        let Some(mut child) = self.serving.take() else { return Ok(()) };
        if let Some(pid) = rustix::process::Pid::from_raw(child.id() as i32) {
            let told = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            told.map_err(|error| InstallationError::Io {
                what: "cannot stop the program".into(),
                source: error.into(),
            })?;
        }
        let asked = Instant::now();
        let failed = |source| InstallationError::Io { what: "cannot wait for the program".into(), source };
        while asked.elapsed() < STOP_PATIENCE {
            if child.try_wait().map_err(failed)?.is_some() {
                return Ok(());
            }
            thread::sleep(LOOK);
        }
        child.kill().map_err(failed)
    }

    /// The process of `serve`, and those of its roles by name: for tests that kill them.
    pub fn process_of(&self, role: &str) -> Option<u32> {
        let parent = self.serving.as_ref()?.id();
        let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).ok()?;
        children.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()).find(|pid| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            line.split(|byte| *byte == 0).any(|argument| argument == role.as_bytes())
        })
    }

    /// Ends a role at once, as a power cut would; `serve` starts it again. False: there is no such process now.
    pub fn kill(&self, role: &str) -> Result<bool> {
        let Some(pid) = self.process_of(role).and_then(|pid| rustix::process::Pid::from_raw(pid as i32)) else {
            return Ok(false);
        };
        let killed = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        let what = || format!("cannot kill the {role}");
        killed.map(|()| true).map_err(|error| InstallationError::Io { what: what(), source: error.into() })
    }

    /// Ends `serve` and its roles at once, as a power cut would. Who looks after the machine starts it again.
    pub fn kill_all(&mut self) -> Result<()> {
        let roles: Vec<u32> =
            ["keeper", "recorder", "web", "auditor"].iter().filter_map(|role| self.process_of(role)).collect();
        self.kill_serve()?;
        for pid in roles.iter().filter_map(|pid| rustix::process::Pid::from_raw(*pid as i32)) {
            match rustix::process::kill_process(pid, rustix::process::Signal::KILL) {
                Ok(()) | Err(rustix::io::Errno::SRCH) => {}
                Err(error) => {
                    return Err(InstallationError::Io { what: "cannot kill a role".into(), source: error.into() });
                }
            }
        }
        Ok(())
    }

    /// Stops `serve` and its roles in their tracks, as a machine that lost its power: they answer nothing and see nothing of what
    /// is done to their disks, until they are killed.
    pub fn halt(&self) -> Result<()> {
        let roles = ["keeper", "recorder", "web"].iter().filter_map(|role| self.process_of(role));
        let all: Vec<u32> = self.serving.iter().map(Child::id).chain(roles).collect();
        for pid in all.iter().filter_map(|pid| rustix::process::Pid::from_raw(*pid as i32)) {
            let halted = rustix::process::kill_process(pid, rustix::process::Signal::STOP);
            halted
                .map_err(|error| InstallationError::Io { what: "cannot halt a role".into(), source: error.into() })?;
        }
        let asked = Instant::now();
        let state = |pid: &u32| fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // the state stands behind the name in parentheses (proc(5))
        let moves = |pid: &u32| state(pid).rsplit(") ").next().is_some_and(|rest| !rest.starts_with(['T', 'Z']));
        while all.iter().any(moves) && asked.elapsed() < STOP_PATIENCE {
            thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// Ends `serve` alone at once; its roles see that it is gone and stop in order.
    pub fn kill_serve(&mut self) -> Result<()> {
        let Some(mut child) = self.serving.take() else { return Ok(()) };
        let failed = |source| InstallationError::Io { what: "cannot kill `serve`".into(), source };
        child.kill().map_err(failed)?;
        child.wait().map(|_| ()).map_err(failed)
    }

    /// One command of the command line; what it printed comes back.
    pub fn run(&self, arguments: &[&str], input: Option<&str>) -> Result<String> {
        let attempt = self.attempt(arguments, input)?;
        let said = format!("{}{}", attempt.stdout, attempt.stderr);
        if attempt.code == Some(0) {
            return Ok(said);
        }
        Err(InstallationError::Command { arguments: arguments.join(" "), said: said.trim().to_owned() })
    }

    /// One command of the command line, however it ends.
    pub fn attempt(&self, arguments: &[&str], input: Option<&str>) -> Result<Attempt> {
        let output = self.output(arguments, input)?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Attempt { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) })
    }

    fn output(&self, arguments: &[&str], input: Option<&str>) -> Result<Output> {
        let no_program = |source| InstallationError::NoProgram { program: self.program.clone(), source };
        let mut command = self.command(arguments);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(no_program)?;
        if let Some(mut stdin) = child.stdin.take() {
            let written = stdin.write_all(input.unwrap_or_default().as_bytes());
            // a program that ends without reading its input says why itself
            if let Err(source) = written
                && source.kind() != io::ErrorKind::BrokenPipe
            {
                return Err(no_program(source));
            }
        }
        child.wait_with_output().map_err(no_program)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--config").arg(self.folder.join("vigie.toml")).args(arguments);
        // variables of whoever builds and tests are not the town's
        let inherited = std::env::vars_os().map(|(name, _)| name);
        inherited.filter(|name| name.to_string_lossy().starts_with("VIGIE_")).for_each(|name| {
            command.env_remove(name);
        });
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// The demonstration's papers that are about the whole site, once; without them no camera records.
    fn demonstration_acts(&self) -> Result<()> {
        if self.has_acts.load(Ordering::SeqCst) {
            return Ok(());
        }
        if !self.run(&["act", "list", "--all", "--json"], None)?.contains("\"authorisation\"") {
            self.import(&dossier::of_site())?;
        }
        self.has_acts.store(true, Ordering::SeqCst);
        Ok(())
    }

    /// `vigie act import` of a dossier's text.
    pub fn import(&self, dossier: &str) -> Result<()> {
        // several may be imported at the same time
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let path = self.folder.join(format!("dossier-{}.toml", NUMBER.fetch_add(1, Ordering::Relaxed)));
        fs::write(&path, dossier).map_err(at("cannot write", &path))?;
        let said = self.run(&["act", "import", &path.display().to_string()], None);
        fs::remove_file(&path).map_err(at("cannot remove", &path))?;
        said.map(drop)
    }

    /// `vigie camera add` with the password on its standard input, and its mask statement; the camera's id comes back.
    pub fn add_camera(
        &self,
        name: &str,
        url: &str,
        place: &str,
        days: u32,
        credentials: &Credentials,
    ) -> Result<String> {
        self.demonstration_acts()?;
        let days = days.to_string();
        let arguments = [
            "camera",
            "add",
            name,
            url,
            "--place",
            place,
            "--days",
            &days,
            "--purpose",
            "5",
            "--purpose",
            "1",
            "--class",
            "other",
            "--user",
            &credentials.user,
            "--password-stdin",
        ];
        let said = self.run(&arguments, Some(credentials.password.reveal()))?;
        self.import(&dossier::of_camera(name))?;
        Ok(said.split_whitespace().last().unwrap_or_default().to_owned())
    }

    /// `vigie account add`, the password set by its link, and the person's habilitation or approval.
    pub fn add_account(&self, name: &str, role: &str, password: &Sensitive<String>) -> Result<()> {
        let token = setup_token(&self.run(&["account", "add", name, "--role", role], None)?)?;
        self.set_up(&token, password)?;
        match dossier::of_account(name, role) {
            Some(dossier) => self.import(&dossier),
            None => Ok(()),
        }
    }

    /// Uses a setup link as the console does: an authenticator reads the seed, and its first code shows that it did.
    pub fn set_up(&self, token: &Sensitive<String>, password: &Sensitive<String>) -> Result<()> {
        let begun = self.nobody().post("/api/setup/begin", &json!({"token": token.reveal()}))?;
        let text = |field: &str| begun[field].as_str().unwrap_or_default().to_owned();
        let Some(mut authenticator) = Authenticator::read(&text("otpauth")) else {
            return Err(InstallationError::Command { arguments: "…".into(), said: "no seed was shown".into() });
        };
        let code = authenticator.unused(self.site_seconds()?).unwrap_or_default();
        let body = json!({"token": token.reveal(), "password": password.reveal(), "code": code.reveal()});
        let account = self.nobody().post("/api/setup", &body)?;
        let codes = account["recovery_codes"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let recovery = codes.map(|code| Sensitive::new(code.to_owned())).collect();
        let person = AccountHolder { password: password.clone(), authenticator, recovery, cookie: None };
        self.persons.add(&text("name"), person);
        Ok(())
    }

    /// A browser that is not signed in.
    pub fn nobody(&self) -> Browser<'_> {
        Browser { installation: self, cookie: None }
    }

    /// The person's browser: with the session that is kept, or signed in anew.
    pub fn sign_in(&self, name: &str, password: &Sensitive<String>) -> Result<Browser<'_>> {
        let known = self.persons.get(name).filter(|person| person.password == *password);
        if let Some(cookie) = known.as_ref().and_then(|person| person.cookie.clone()) {
            let browser = Browser { installation: self, cookie: Some(cookie) };
            match browser.get("/api/session") {
                Ok(_) => return Ok(browser),
                Err(error) if error.status() == Some(401) => {}
                Err(error) => return Err(error),
            }
        }
        let code = self.code(name)?;
        match self.sign_in_with(name, password, &code) {
            // a clock that was put back makes codes of before the newest ones: a code on paper needs no clock
            Err(error) if error.status() == Some(401) && known.is_some() => {
                match self.persons.with(name, |person| person.recovery.pop()).flatten() {
                    Some(code) => self.sign_in_with(name, password, &code),
                    None => Err(error),
                }
            }
            answered => answered,
        }
    }

    /// A code of this person's authenticator that was not used yet; waits for it if need be.
    pub fn code(&self, name: &str) -> Result<Sensitive<String>> {
        loop {
            let now = self.site_seconds()?;
            match self.persons.with(name, |person| person.authenticator.unused(now)) {
                None => return Ok(Sensitive::new("000000".to_owned())),
                Some(Ok(code)) => return Ok(code),
                Some(Err(seconds)) => thread::sleep(Duration::from_secs(seconds.clamp(1, 30) as u64)),
            }
        }
    }

    fn sign_in_with(&self, name: &str, password: &Sensitive<String>, code: &Sensitive<String>) -> Result<Browser<'_>> {
        let mut browser = self.nobody();
        let body = json!({"name": name, "password": password.reveal(), "code": code.reveal()});
        let (_, cookie) = browser.send("POST", "/api/session", Some(&body))?;
        self.persons.with(name, |person| person.cookie = cookie.clone());
        browser.cookie = cookie;
        Ok(browser)
    }

    /// What time it is in the town, by the `Date` of its answers (RFC 9110, 6.6.1).
    fn site_seconds(&self) -> Result<i64> {
        let answered = self.agent.get(format!("{}/api/site", self.address())).call();
        let response = answered.map_err(|source| connection("GET", "/api/site", source))?;
        let date = response.headers().get("date").and_then(|date| date.to_str().ok()).unwrap_or_default();
        let read = jiff::fmt::rfc2822::parse(date).map(|date| date.timestamp().as_second());
        read.map_err(|_| InstallationError::Command {
            arguments: "…".into(), said: "an answer without a date".into()
        })
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("{error}");
        }
    }
}

impl Browser<'_> {
    pub fn get(&self, path: &str) -> Result<Value> {
        self.send("GET", path, None).map(|(value, _)| value)
    }

    pub fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.send("POST", path, Some(body)).map(|(value, _)| value)
    }

    /// A body that is no JSON.
    pub fn post_bytes(&self, path: &str, body: &[u8]) -> Result<Value> {
        let request = self.installation.agent.post(format!("{}{path}", self.installation.address()));
        let cookie = self.cookie.as_deref().unwrap_or_default();
        let request = request.header("vigie-request", "1").header("cookie", cookie);
        let sent = request.header("content-type", "application/octet-stream").send(body);
        let mut response = sent.map_err(|source| connection("POST", path, source))?;
        let (status, body) = (response.status().as_u16(), response.body_mut().read_to_string().unwrap_or_default());
        match status {
            200..300 => Ok(serde_json::from_str(&body).unwrap_or(Value::Null)),
            _ => Err(InstallationError::Http { method: "POST", path: path.to_owned(), status, body }),
        }
    }

    pub fn delete(&self, path: &str) -> Result<Value> {
        self.send("DELETE", path, None).map(|(value, _)| value)
    }

    /// The cookie of its session, `name=secret`.
    pub fn cookie(&self) -> Option<&str> {
        self.cookie.as_deref()
    }

    /// Reads a stream of pictures: content type, and at most `bytes_max` bytes or until its end.
    pub fn stream(&self, path: &str, bytes_max: u64) -> Result<(String, Vec<u8>)> {
        let (stream, mut bytes) = (self.open(path)?, Vec::new());
        let kind = stream.content_type.clone();
        let read = stream.take(bytes_max).read_to_end(&mut bytes);
        read.map_err(|source| InstallationError::Io { what: format!("the stream of {path} broke off"), source })?;
        Ok((kind, bytes))
    }

    /// Opens a stream of pictures; comes back with its first byte.
    pub fn open(&self, path: &str) -> Result<Stream> {
        let request = self.installation.agent.get(format!("{}{path}", self.installation.address()));
        let request = match &self.cookie {
            Some(cookie) => request.header("cookie", cookie),
            None => request,
        };
        let mut response = request.call().map_err(|source| connection("GET", path, source))?;
        let status = response.status().as_u16();
        if status != 200 {
            let body = response.body_mut().read_to_string().unwrap_or_default();
            return Err(InstallationError::Http { method: "GET", path: path.to_owned(), status, body });
        }
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (content_type, from) =
            (header("content-type").unwrap_or_default(), header("vigie-from").or(header("vigie-start")));
        let body = response.into_body().into_with_config().limit(u64::MAX).reader();
        Ok(Stream { content_type, from, body })
    }

    fn send(&self, method: &'static str, path: &str, body: Option<&Value>) -> Result<(Value, Option<String>)> {
        let agent = &self.installation.agent;
        let url = format!("{}{path}", self.installation.address());
        let cookie = self.cookie.as_deref().unwrap_or_default();
        let answered = match (method, body) {
            ("POST", Some(body)) => {
                agent.post(url).header("vigie-request", "1").header("cookie", cookie).send_json(body)
            }
            ("DELETE", _) => agent.delete(url).header("vigie-request", "1").header("cookie", cookie).call(),
            _ => agent.get(url).header("cookie", cookie).call(),
        };
        let mut response = answered.map_err(|source| connection(method, path, source))?;
        let status = response.status().as_u16();
        let text = response.body_mut().read_to_string().unwrap_or_default();
        if !(200..300).contains(&status) {
            return Err(InstallationError::Http { method, path: path.to_owned(), status, body: text });
        }
        let cookie = response.headers().get("set-cookie").and_then(|value| value.to_str().ok());
        let cookie = cookie.and_then(|cookie| cookie.split(';').next()).map(str::to_owned);
        Ok((serde_json::from_str(&text).unwrap_or(Value::Null), cookie))
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.body.read(buffer)
    }
}

/// The token behind `#setup=` in what a command printed.
pub fn setup_token(said: &str) -> Result<Sensitive<String>> {
    let token = said.split("#setup=").nth(1).and_then(|rest| rest.split_whitespace().next());
    let no_link = || InstallationError::Command { arguments: "…".into(), said: "no setup link was printed".into() };
    token.map(|token| Sensitive::new(token.to_owned())).ok_or_else(no_link)
}

fn connection(method: &'static str, path: &str, source: ureq::Error) -> InstallationError {
    InstallationError::Connection { method, path: path.to_owned(), source: Box::new(source) }
}

fn at(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> InstallationError {
    let what = format!("{what} `{}`", path.display());
    move |source| InstallationError::Io { what, source }
}

fn free_port() -> Result<u16> {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    bound
        .map(|address| address.port())
        .map_err(|source| InstallationError::Io { what: "no port is free".into(), source })
}
