//! The page and its lines, with a web from a script.

use super::*;
use axum::http::Request;
use http_body_util::BodyExt;
use tokio::task::JoinHandle;
use tower::ServiceExt;

const EXPORT: ExportId = ExportId([7; 16]);

/// What web says on one line to what it is asked, and what it hears afterwards.
fn web(lines: &Lines, says: Vec<u8>) -> JoinHandle<(Vec<u8>, Vec<u8>)> {
    let (ours, mut webs) = UnixStream::pair().unwrap();
    lines.add(ours);
    tokio::spawn(async move {
        let mut asked = vec![0; LinkTry::BYTES];
        if webs.read_exact(&mut asked).await.is_err() {
            return (vec![], vec![]);
        }
        drop(webs.write_all(&says).await);
        let mut after = Vec::new();
        drop(webs.shutdown().await);
        drop(webs.read_to_end(&mut after).await);
        (asked, after)
    })
}

fn yes(bytes: u64, sent: &[u8]) -> Vec<u8> {
    [&LinkWord::Yes { export: EXPORT, bytes }.to_bytes()[..], sent].concat()
}

fn form() -> String {
    format!("jeton={}&code=70q2m-x1krt", "ab".repeat(32))
}

async fn posted(lines: &Arc<Lines>, body: &str) -> Response {
    let request = Request::post("/remise/paquet").header("content-type", "application/x-www-form-urlencoded");
    router(lines.clone()).oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap()
}

/// Everything that a stranger sees.
async fn seen(response: Response) -> (u16, Vec<(String, String)>, String) {
    let status = response.status().as_u16();
    let headers = response.headers().iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    let mut headers: Vec<_> = headers.collect();
    headers.sort();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, headers, String::from_utf8(body.to_vec()).unwrap())
}

fn lines() -> Arc<Lines> {
    Lines::with_refusal(Duration::ZERO)
}

#[tokio::test]
async fn what_web_sends_after_a_yes_reaches_the_recipient_whole_and_web_is_told() {
    let (lines, sealed) = (lines(), vec![9u8; 3 * PART_BYTES + 5]);
    let web = web(&lines, yes(sealed.len() as u64, &sealed));
    let response = posted(&lines, &form()).await;
    assert_eq!(response.status(), StatusCode::OK);
    let shown = |name| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(shown(header::CONTENT_DISPOSITION), format!("attachment; filename=\"vigie-remise-{EXPORT}.zip.age\""));
    assert_eq!(
        (shown(header::CONTENT_LENGTH), shown(header::CACHE_CONTROL)),
        (sealed.len().to_string(), "no-store".into())
    );
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert!(body == sealed);
    let (asked, after) = web.await.unwrap();
    let wanted = LinkTry::from_form(form().as_bytes()).unwrap();
    assert_eq!((asked, after), (wanted.to_bytes().to_vec(), vec![WHOLE]));
}

#[tokio::test]
async fn every_refusal_is_the_same_to_whoever_reads_it() {
    let lines = lines();
    let mut refusals = Vec::new();
    // web's no, an answer that is none, a web that ends in the middle of it
    for says in [LinkWord::No.to_bytes().to_vec(), vec![77; LinkWord::BYTES], LinkWord::No.to_bytes()[..3].to_vec()] {
        let web = web(&lines, says);
        refusals.push(seen(posted(&lines, &form()).await).await);
        assert!(web.await.unwrap().1.is_empty());
    }
    // what is no link at all, and more than a form holds
    for body in ["", "jeton=1&code=2", &"x".repeat(LINK_FORM_BYTES_MAX + 1)] {
        refusals.push(seen(posted(&lines, body).await).await);
    }
    assert_eq!((refusals[0].0, refusals.len()), (403, 6));
    assert!(refusals.iter().all(|refusal| *refusal == refusals[0]), "{refusals:#?}");
    assert!(refusals[0].2.contains("Rien n'est remis") && refusals[0].2.contains("Nothing is handed over"));
}

#[tokio::test]
async fn without_a_line_or_a_place_nobody_looks_at_the_link() {
    let lines = lines();
    assert_eq!(posted(&lines, &form()).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    let web_says = web(&lines, LinkWord::Busy.to_bytes().to_vec());
    assert_eq!(posted(&lines, &form()).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    web_says.await.unwrap();
    let places = lines.tries.try_acquire_many(LINK_TRIES_AT_ONCE as u32).unwrap();
    let waits = web(&lines, LinkWord::No.to_bytes().to_vec());
    assert_eq!(posted(&lines, &form()).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    drop(places);
    assert_eq!(posted(&lines, &form()).await.status(), StatusCode::FORBIDDEN);
    waits.await.unwrap();
}

#[tokio::test]
async fn a_line_whose_web_is_gone_is_passed_over_and_so_many_are_kept() {
    let lines = lines();
    let (dead, webs) = UnixStream::pair().unwrap();
    lines.add(dead);
    drop(webs);
    let says = web(&lines, yes(3, b"abc"));
    let (dead, webs) = UnixStream::pair().unwrap();
    lines.add(dead);
    drop(webs);
    assert_eq!(seen(posted(&lines, &form()).await).await.2, "abc");
    says.await.unwrap();
    let pairs: Vec<_> = (0..2 * LINK_LINES).map(|_| UnixStream::pair().unwrap()).collect();
    let (ours, _webs): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
    ours.into_iter().for_each(|line| lines.add(line));
    assert_eq!(lines.idle().len(), LINK_LINES);
}

#[tokio::test]
async fn a_package_that_breaks_off_is_no_whole_one_and_nobody_says_that_it_is() {
    let lines = lines();
    let web = web(&lines, yes(10, b"half"));
    let response = posted(&lines, &form()).await;
    assert_eq!(response.headers()[header::CONTENT_LENGTH], "10");
    assert!(response.into_body().collect().await.is_err());
    assert!(web.await.unwrap().1.is_empty());
}

#[tokio::test]
async fn the_page_asks_nothing_of_anybody_else_and_no_address_bears_the_token() {
    let router = router(lines());
    let get = |path: &str| router.clone().oneshot(Request::get(path).body(Body::empty()).unwrap());
    let (status, headers, page) = seen(get("/remise").await.unwrap()).await;
    let policy = &headers.iter().find(|(name, _)| name == "content-security-policy").unwrap().1;
    assert!(status == 200 && policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert!(
        !page.contains("http:")
            && !page.contains("https:")
            && !page.contains("<style")
            && page.contains("method=\"post\"")
    );
    for name in ["lien.css", "lien.js"] {
        assert!(page.contains(&format!("remise/{name}")));
        let (status, _, text) = seen(get(&format!("/remise/{name}")).await.unwrap()).await;
        assert!(status == 200 && !text.contains("//cdn") && !text.contains("http"), "{name}");
    }
    // a link's package is posted for: what a log, a history or a prefetch repeats is no try
    assert_eq!(get("/remise/paquet").await.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(get("/remise/autre").await.unwrap().status(), StatusCode::NOT_FOUND);
}
