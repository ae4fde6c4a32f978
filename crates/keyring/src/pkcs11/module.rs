//! A real token behind a PKCS#11 module that is loaded by its path: one session, one login.

use super::{
    ObjectId, Outcome, Token, TokenFault,
    objects::{self, OBJECT_ID_BYTES},
};
use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    error::{Error, RvError},
    mechanism::{Mechanism, MechanismType},
    object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle},
    session::{Session, UserType},
    slot::Slot,
    types::AuthPin,
};
use domain::{Secret32, SiteId};
use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};
use zeroize::Zeroizing;

const KEY_BYTES: u64 = 32;
const MAKES: &str = "CKM_GENERIC_SECRET_KEY_GEN";
const ANSWERS: &str = "CKM_SHA256_HMAC";

/// Modules of this process: C_Initialize is once for all sessions.
static MODULES: Mutex<BTreeMap<PathBuf, Pkcs11>> = Mutex::new(BTreeMap::new());

/// Which token, and what opens it.
pub struct TokenSettings {
    /// The maker's shared library.
    pub module: PathBuf,
    /// The token's label.
    pub token: String,
    pub pin: Zeroizing<String>,
}

/// See the module.
pub struct Pkcs11Token {
    settings: TokenSettings,
    site: SiteId,
    session: RefCell<Option<Session>>,
    is_hardware: Cell<bool>,
    /// A PIN that was refused is not tried again: tokens lock after a few.
    is_refused: Cell<bool>,
}

impl Pkcs11Token {
    /// Nothing is asked of the token yet.
    pub fn new(settings: TokenSettings, site: SiteId) -> Pkcs11Token {
        let (session, is_hardware, is_refused) = (RefCell::new(None), Cell::new(false), Cell::new(false));
        Pkcs11Token { settings, site, session, is_hardware, is_refused }
    }

    /// Whether the token is there, takes the PIN and can do what the keyring needs.
    pub fn check(&self) -> Outcome<()> {
        self.with_session("", |_| Ok(()))
    }

    /// Whether its PIN was refused: it is not tried again.
    #[cfg(test)]
    pub fn was_refused(&self) -> bool {
        self.is_refused.get()
    }

    /// Does something in the session; after a failure the next call makes a new one.
    fn with_session<T>(&self, mechanism: &'static str, act: impl FnOnce(&Session) -> Result<T, Error>) -> Outcome<T> {
        let mut held = self.session.borrow_mut();
        let session = match held.take() {
            Some(session) => session,
            None => self.log_in()?,
        };
        match act(&session) {
            Ok(done) => {
                *held = Some(session);
                Ok(done)
            }
            Err(error) => Err(self.fault(&error, mechanism)),
        }
    }

    /// 1 the module · 2 the token of that name, if need be after the module was initialised again: some see a token that was
    /// pulled out and came back only then · 3 its PIN has tries left · 4 it can do what is needed · 5 session · 6 login.
    fn log_in(&self) -> Outcome<Session> {
        let label = || self.settings.token.clone();
        if self.is_refused.get() {
            return Err(TokenFault::WrongPin { label: label() });
        }
        let module = module(&self.settings.module)?; // 1
        let slot = match self.slot(&module) {
            Err(TokenFault::Absent { .. }) => {
                again(&self.settings.module, &module)?;
                self.slot(&module)?
            }
            found => found?,
        }; // 2
        let failed = |error: Error| self.fault(&error, "");
        let info = module.get_token_info(slot).map_err(failed)?;
        if info.user_pin_locked() {
            return Err(TokenFault::PinLocked { label: label() });
        }
        if info.user_pin_final_try() {
            return Err(TokenFault::LastTry { label: label() }); // 3
        }
        let known = module.get_mechanism_list(slot).map_err(failed)?;
        let needed = [(MechanismType::GENERIC_SECRET_KEY_GEN, MAKES), (MechanismType::SHA256_HMAC, ANSWERS)];
        if let Some((_, mechanism)) = needed.into_iter().find(|(needed, _)| !known.contains(needed)) {
            return Err(TokenFault::MechanismMissing { label: label(), mechanism }); // 4
        }
        let session = module.open_rw_session(slot).map_err(failed)?; // 5
        let pin = AuthPin::from(self.settings.pin.as_str());
        match session.login(UserType::User, Some(&pin)) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {} // 6
            Err(error) => {
                let fault = failed(error);
                self.is_refused.set(matches!(fault, TokenFault::WrongPin { .. }));
                return Err(fault);
            }
        }
        let is_hardware = module.get_slot_info(slot).is_ok_and(|info| info.hardware_slot());
        self.is_hardware.set(is_hardware);
        Ok(session)
    }

    fn slot(&self, module: &Pkcs11) -> Outcome<Slot> {
        let slots = module.get_slots_with_token().map_err(|error| self.fault(&error, ""))?;
        let is_ours = |slot: &Slot| {
            let info = module.get_token_info(*slot);
            info.is_ok_and(|info| info.token_initialized() && info.label() == self.settings.token)
        };
        let mut ours = slots.into_iter().filter(is_ours);
        match (ours.next(), ours.next()) {
            (Some(slot), None) => Ok(slot),
            (None, _) => Err(TokenFault::Absent { label: self.settings.token.clone() }),
            (Some(_), Some(_)) => Err(TokenFault::Ambiguous { label: self.settings.token.clone() }),
        }
    }

    fn handles(&self, session: &Session, id: Option<&ObjectId>) -> Result<Vec<ObjectHandle>, Error> {
        let label = objects::label_of(self.site).into_bytes();
        let mut template = vec![Attribute::Class(ObjectClass::SECRET_KEY), Attribute::Label(label)];
        template.extend(id.map(|id| Attribute::Id(id.to_bytes().to_vec())));
        session.find_objects(&template)
    }

    fn fault(&self, error: &Error, mechanism: &'static str) -> TokenFault {
        TokenFault::of(error, &self.settings.token, mechanism)
    }
}

impl Token for Pkcs11Token {
    fn label(&self) -> &str {
        &self.settings.token
    }

    fn is_hardware(&self) -> bool {
        self.is_hardware.get()
    }

    fn objects(&self) -> Outcome<BTreeSet<ObjectId>> {
        self.with_session("", |session| {
            let mut found = BTreeSet::new();
            for handle in self.handles(session, None)? {
                for attribute in session.get_attributes(handle, &[AttributeType::Id])? {
                    if let Attribute::Id(bytes) = attribute {
                        found.extend(ObjectId::from_bytes(&bytes));
                    }
                }
            }
            Ok(found)
        })
    }

    /// 1 the key · 2 what the token says of it; one that could be read out is destroyed again.
    fn make(&self, id: &ObjectId) -> Outcome<()> {
        let id_bytes: [u8; OBJECT_ID_BYTES] = id.to_bytes();
        let careful = self.with_session(MAKES, |session| {
            let template = [
                Attribute::Class(ObjectClass::SECRET_KEY),
                Attribute::KeyType(KeyType::GENERIC_SECRET),
                Attribute::ValueLen(KEY_BYTES.into()),
                Attribute::Token(true),
                Attribute::Private(true),
                Attribute::Sensitive(true),
                Attribute::Extractable(false),
                Attribute::Sign(true),
                Attribute::Label(objects::label_of(self.site).into_bytes()),
                Attribute::Id(id_bytes.to_vec()),
            ];
            let handle = session.generate_key(&Mechanism::GenericSecretKeyGen, &template)?; // 1
            is_careful(session, handle) // 2
        })?;
        if careful {
            return Ok(());
        }
        self.destroy(id)?;
        Err(TokenFault::Careless { label: self.settings.token.clone() })
    }

    fn answer(&self, id: &ObjectId, text: &[u8]) -> Outcome<Option<Secret32>> {
        let answer = self.with_session(ANSWERS, |session| {
            let Some(handle) = self.handles(session, Some(id))?.first().copied() else { return Ok(None) };
            session.sign(&Mechanism::Sha256Hmac, handle, text).map(|answer| Some(Zeroizing::new(answer)))
        })?;
        let Some(answer) = answer else { return Ok(None) };
        let key: Option<[u8; 32]> = answer.as_slice().try_into().ok();
        key.map(|key| Some(Secret32::new(key)))
            .ok_or_else(|| TokenFault::MechanismMissing { label: self.settings.token.clone(), mechanism: ANSWERS })
    }

    fn destroy(&self, id: &ObjectId) -> Outcome<()> {
        self.with_session("C_DestroyObject", |session| {
            self.handles(session, Some(id))?.into_iter().try_for_each(|handle| session.destroy_object(handle))
        })
    }
}

/// Whether a key is durable and never leaves the token, by what the token says.
fn is_careful(session: &Session, handle: ObjectHandle) -> Result<bool, Error> {
    let asked = [AttributeType::Token, AttributeType::Sensitive, AttributeType::Extractable];
    let said = session.get_attributes(handle, &asked)?;
    let says = |wanted: &Attribute| said.contains(wanted);
    Ok(says(&Attribute::Token(true)) && says(&Attribute::Sensitive(true)) && says(&Attribute::Extractable(false)))
}

/// The module, finalised and initialised. Sessions of others in this process end by it and log in again; the keeper has one.
fn again(path: &Path, module: &Pkcs11) -> Outcome<()> {
    match module.clone().finalize() {
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiNotInitialized, _)) => {}
        Err(error) => return Err(TokenFault::ModuleMissing { module: path.to_owned(), what: error.to_string() }),
    }
    self::module(path).map(drop)
}

/// The module, loaded and initialised once in this process.
pub(super) fn module(path: &Path) -> Outcome<Pkcs11> {
    let failed = |error: Error| TokenFault::ModuleMissing { module: path.to_owned(), what: error.to_string() };
    // a panic elsewhere leaves a map of whole modules
    let mut modules = MODULES.lock().unwrap_or_else(PoisonError::into_inner);
    let module = match modules.get(path) {
        Some(module) => module.clone(),
        None => Pkcs11::new(path).map_err(failed)?,
    };
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
        Err(error) => return Err(failed(error)),
    }
    modules.insert(path.to_owned(), module.clone());
    Ok(module)
}
