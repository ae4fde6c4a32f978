//! Parsers that meet bytes of others, one function each: it takes any bytes, panics where something does not hold.
//!
//! `make fuzz` drives them with libFuzzer (`fuzz/libfuzzer`), `make test` with seeded mutations (`fuzz/tests/short.rs`); both
//! begin with the seeds made here and with what is kept in `fuzz/corpus`. Where a digest or a tag guards a parser, the target
//! makes it anew around the mutated bytes: what is behind it is what has to stand.

pub mod acts;
mod archives;
mod cameras;
mod evidence;
mod http;
mod journal;
pub mod law;
mod links;
mod pictures;
mod reels;
mod sockets;
pub mod timestamps;
mod witnesses;

/// One parser.
pub struct Target {
    pub name: &'static str,
    pub run: fn(&[u8]),
    /// Small inputs that are right, made by our own code.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Inputs that the short test may try in a fraction of a second in a debug build.
    pub cases: u32,
}

const fn target(name: &'static str, run: fn(&[u8]), seeds: fn() -> Vec<Vec<u8>>, cases: u32) -> Target {
    Target { name, run, seeds, cases }
}

/// All of them.
pub const TARGETS: &[Target] = &[
    target("rtsp_session", cameras::rtsp_session, cameras::rtsp_session_seeds, 30),
    target("rtsp_answer_head", cameras::answer_head, cameras::answer_head_seeds, 8_000),
    target("camera_address", cameras::address, cameras::address_seeds, 4_000),
    target("fingerprint", cameras::fingerprint, cameras::fingerprint_seeds, 4_000),
    target("onvif_answers", cameras::onvif_answers, cameras::onvif_answers_seeds, 2_000),
    target("rtsp_request", cameras::request, cameras::request_seeds, 8_000),
    target("rtp_payloads", cameras::rtp_payloads, cameras::rtp_payloads_seeds, 4_000),
    target("h264_parameters", cameras::h264_parameters, cameras::h264_parameters_seeds, 4_000),
    target("h264_access_unit", cameras::h264_access_unit, cameras::h264_access_unit_seeds, 4_000),
    target("h265_parameters", cameras::h265_parameters, cameras::h265_parameters_seeds, 4_000),
    target("h265_access_unit", cameras::h265_access_unit, cameras::h265_access_unit_seeds, 4_000),
    target("reel_record", reels::record, reels::record_seeds, 8_000),
    target("reel_walk", reels::walk, reels::walk_seeds, 60),
    target("reel_header", reels::header, reels::header_seeds, 300),
    target("reel_footer", reels::footer, reels::footer_seeds, 300),
    target("reel_index", reels::index, reels::index_seeds, 4_000),
    target("reel_digests", reels::digests, reels::digests_seeds, 4_000),
    target("key_record", reels::key_record, reels::key_record_seeds, 4_000),
    target("extent", reels::extent, reels::extent_seeds, 8_000),
    target("gap_line", reels::gap_line, reels::gap_line_seeds, 8_000),
    target("chunk_plaintext", reels::chunk_plaintext, reels::chunk_plaintext_seeds, 2_000),
    target("location", reels::location, reels::location_seeds, 8_000),
    target("held_note", reels::held_note, reels::held_note_seeds, 4_000),
    target("slot_header", reels::slot_header, reels::slot_header_seeds, 2_000),
    target("keyring_root", journal::keyring_root, journal::keyring_root_seeds, 4_000),
    target("keyring_slot", journal::keyring_slot, journal::keyring_slot_seeds, 2_000),
    target("keyring_page", journal::keyring_page, journal::keyring_page_seeds, 2_000),
    target("journal_group", journal::group, journal::group_seeds, 4_000),
    target("ledger_details", journal::details, journal::details_seeds, 4_000),
    target("checkpoint", journal::checkpoint, journal::checkpoint_seeds, 2_000),
    target("cosignature", witnesses::cosignature, witnesses::cosignature_seeds, 500),
    target("add_checkpoint", witnesses::add_checkpoint, witnesses::add_checkpoint_seeds, 1_000),
    target("witness_policy", witnesses::policy, witnesses::policy_seeds, 1_000),
    target("tile_path", witnesses::tile_path, witnesses::tile_path_seeds, 8_000),
    target("public_tiles", witnesses::tiles, witnesses::tiles_seeds, 60),
    target("law_town", law::town, law::town_seeds, 60),
    target("law_pack", law::pack, law::pack_seeds, 60),
    target("dossier", acts::dossier, acts::dossier_seeds, 4_000),
    target("required_acts", acts::required_acts, acts::required_acts_seeds, 4_000),
    target("configuration", acts::configuration, acts::configuration_seeds, 2_000),
    target("evidence_manifest", evidence::manifest, evidence::manifest_seeds, 2_000),
    target("evidence_proof", evidence::proof, evidence::proof_seeds, 2_000),
    target("evidence_register", evidence::register, evidence::register_seeds, 2_000),
    target("evidence_archive", archives::archive, archives::archive_seeds, 2_000),
    target("age_head", archives::age_head, archives::age_head_seeds, 1_000),
    target("timestamp_answer", timestamps::answer, timestamps::answer_seeds, 1_000),
    target("timestamp_token", timestamps::token, timestamps::token_seeds, 500),
    target("timestamp_certificate", timestamps::certificate, timestamps::certificate_seeds, 500),
    target("timestamp_list", timestamps::list, timestamps::list_seeds, 500),
    target("picture_messages", pictures::messages, pictures::messages_seeds, 4_000),
    target("picture_job", pictures::job, pictures::job_seeds, 4_000),
    target("movie_tables", evidence::movie_tables, evidence::movie_tables_seeds, 4_000),
    target("link_form", links::form, links::form_seeds, 8_000),
    target("link_line", links::line, links::line_seeds, 8_000),
    target("http_request", http::request, http::request_seeds, 2_000),
    target("keeper_message", sockets::keeper, sockets::keeper_seeds, 8_000),
    target("recorder_message", sockets::recorder, sockets::recorder_seeds, 8_000),
];
