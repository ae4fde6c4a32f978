//! A timestamp authority for tests, with everything above it: keys, certificates, lists and answers made by `openssl`, in a folder that
//! vanishes. What `openssl ts` would refuse to sign, `openssl cms` signs over the same content.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Valid around every test.
pub const FROM: &str = "20200101000000Z";
pub const TO: &str = "20691231235959Z";
pub const ROOT: &str =
    "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash";
pub const STAMPS: &str = "keyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid";

#[derive(Clone, Copy)]
pub enum Keys {
    Rsa,
    P256,
    P384,
}

pub struct Authority {
    folder: tempfile::TempDir,
    keys: Keys,
}

/// What goes wrong shows with what the program said.
pub fn run(program: &str, folder: &Path, arguments: &[&str]) -> Vec<u8> {
    let done = Command::new(program).current_dir(folder).args(arguments).output().expect("openssl is installed");
    assert!(done.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    done.stdout
}

impl Authority {
    /// A root, an authority under it (`between`), and one for timestamps under that (`tsa`).
    pub fn new(keys: Keys) -> Authority {
        let authority = Authority { folder: tempfile::tempdir().unwrap(), keys };
        authority.issue("root", "root", ROOT, (FROM, TO));
        authority.issue("between", "root", ROOT, (FROM, TO));
        authority.issue("tsa", "between", STAMPS, (FROM, TO));
        authority
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn openssl(&self, arguments: &[&str]) -> Vec<u8> {
        run("openssl", self.folder.path(), arguments)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// A key and a certificate of that name; its own issuer where both names are one.
    pub fn issue(&self, name: &str, by: &str, extensions: &str, (from, to): (&str, &str)) {
        let key = format!("{name}.key");
        match self.keys {
            Keys::Rsa => self.openssl(&["genrsa", "-out", &key, "2048"]),
            Keys::P256 => self.openssl(&["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", &key]),
            Keys::P384 => self.openssl(&["ecparam", "-name", "secp384r1", "-genkey", "-noout", "-out", &key]),
        };
        self.certify(name, name, by, extensions, (from, to));
    }

    /// A certificate for a key that is there.
    pub fn certify(&self, name: &str, key: &str, by: &str, extensions: &str, (from, to): (&str, &str)) {
        let (csr, pem, own) = (format!("{name}.csr"), format!("{name}.pem"), format!("{key}.key"));
        let subject = format!("/C=FR/O=Essai/CN=Essai {name}");
        self.openssl(&["req", "-new", "-key", &own, "-subj", &subject, "-out", &csr]);
        self.configure(by);
        self.write(&format!("{name}.ext"), format!("[all]\n{extensions}\n"));
        let (config, issuer_key, issuer) = (format!("{by}.cnf"), format!("{by}.key"), format!("{by}.pem"));
        let extension = format!("{name}.ext");
        let mut arguments = vec!["ca", "-batch", "-notext", "-config", &config, "-keyfile", &issuer_key];
        arguments.extend(["-in", &csr, "-out", &pem, "-startdate", from, "-enddate", to]);
        arguments.extend(["-extfile", &extension, "-extensions", "all"]);
        if name == by {
            arguments.push("-selfsign");
        } else {
            arguments.extend(["-cert", &issuer]);
        }
        self.openssl(&arguments);
    }

    fn configure(&self, by: &str) {
        if self.path(&format!("{by}.cnf")).exists() {
            return;
        }
        self.write(&format!("{by}.index"), "");
        self.write(&format!("{by}.index.attr"), "unique_subject = no\n");
        self.write(&format!("{by}.serial"), "00F0A1\n");
        self.write(&format!("{by}.number"), "01\n");
        let config = format!(
            "[ca]\ndefault_ca = own\n[own]\ndatabase = {by}.index\nserial = {by}.serial\ncrlnumber = {by}.number\nnew_certs_dir = .\n\
             default_md = sha256\npolicy = any\ncrl_extensions = list\n[any]\ncountryName = optional\norganizationName = optional\n\
             commonName = supplied\n[list]\nauthorityKeyIdentifier = keyid\n"
        );
        self.write(&format!("{by}.cnf"), config);
    }

    pub fn pem(&self, name: &str) -> Vec<u8> {
        self.read(&format!("{name}.pem"))
    }

    pub fn der(&self, name: &str) -> Vec<u8> {
        self.openssl(&["x509", "-in", &format!("{name}.pem"), "-outform", "DER"])
    }

    /// A list of this issuer as DER, made and followed at these times.
    pub fn list(&self, by: &str, times: (&str, &str)) -> Vec<u8> {
        self.list_with(by, times, "")
    }

    /// With further extensions.
    pub fn list_with(&self, by: &str, (made, next): (&str, &str), extensions: &str) -> Vec<u8> {
        self.configure(by);
        let config = [self.read(&format!("{by}.cnf")), extensions.into()].concat();
        self.write("list.cnf", config);
        let (config, key, pem) = ("list.cnf", format!("{by}.key"), format!("{by}.pem"));
        let mut arguments = vec!["ca", "-gencrl", "-config", config, "-keyfile", &key, "-cert", &pem];
        arguments.extend(["-crl_lastupdate", made, "-crl_nextupdate", next, "-out", "list.pem"]);
        self.openssl(&arguments);
        self.openssl(&["crl", "-in", "list.pem", "-outform", "DER"])
    }

    /// In the issuer's book: as of `when` (`YYMMDDhhmmssZ`), with a reason behind a comma or without one.
    pub fn revoke(&self, name: &str, by: &str, when: &str) {
        let index = format!("{by}.index");
        let text = String::from_utf8(self.read(&index)).unwrap();
        let line = |line: &str| {
            let mut fields: Vec<&str> = line.split('\t').collect();
            if line.ends_with(&format!("CN=Essai {name}")) {
                (fields[0], fields[2]) = ("R", when);
            }
            fields.join("\t") + "\n"
        };
        self.write(&index, text.lines().map(line).collect::<String>());
    }

    /// The answer of `openssl ts`; `certificates` are put into the token in their order, `more` into the authority's configuration.
    pub fn answer(&self, query: &[u8], certificates: &[&str], more: &str) -> Vec<u8> {
        self.write("query.tsq", query);
        self.write("certificates.pem", certificates.iter().flat_map(|name| self.pem(name)).collect::<Vec<u8>>());
        let given =
            |key: &str, usual: &str| if more.contains(key) { String::new() } else { format!("{key} = {usual}\n") };
        let config = format!(
            "[tsa]\ndefault_tsa = own\n[own]\nserial = tsa.number\nsigner_cert = tsa.pem\nsigner_key = tsa.key\ncerts = certificates.pem\n\
             signer_digest = sha256\ndefault_policy = 1.2.3.4.1\naccuracy = secs:1, millisecs:500, microsecs:100\nclock_precision_digits = 3\n\
             tsa_name = yes\n{}{}{more}",
            given("digests", "sha256"),
            given("ess_cert_id_alg", "sha256"),
        );
        self.write("ts.cnf", config);
        self.openssl(&["ts", "-reply", "-config", "ts.cnf", "-queryfile", "query.tsq", "-out", "answer.tsr"]);
        self.read("answer.tsr")
    }

    /// The same content in another signature, by `openssl cms`.
    pub fn signed_again(&self, token: &[u8], signer: &str, more: &[&str]) -> Vec<u8> {
        self.write("old.tst", token);
        let verify = ["cms", "-verify", "-noverify", "-inform", "DER", "-in", "old.tst", "-binary", "-out", "content"];
        self.openssl(&verify);
        let (pem, key) = (format!("{signer}.pem"), format!("{signer}.key"));
        let mut arguments = vec!["cms", "-sign", "-binary", "-nodetach", "-nosmimecap", "-md", "sha256"];
        arguments.extend(["-econtent_type", "1.2.840.113549.1.9.16.1.4", "-in", "content"]);
        arguments.extend(["-signer", &pem, "-inkey", &key, "-certfile", "between.pem"]);
        arguments.extend(["-outform", "DER", "-out", "new.tst"]);
        arguments.extend(more);
        self.openssl(&arguments);
        self.read("new.tst")
    }
}
