//! Style sheet, script and font: in the binary, under names that change with their content.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::LazyLock;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

/// Names change with the content, so a browser may keep them for good.
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Where in the style sheet the font's name stands.
const FONT_IN_STYLE: &str = "vazirmatn.woff2";

const FONT: &[u8] = include_bytes!("../../data/docs/vazirmatn.woff2");
const STYLE: &str = include_str!("../../templates/docs/style.css");
const SCRIPT: &str = include_str!("../../templates/docs/script.js");

/// One file as it is served.
struct Asset {
    name: String,
    content_type: &'static str,
    bytes: Vec<u8>,
}

/// The names under which pages ask for the files.
pub(super) struct Names {
    pub(super) style: String,
    pub(super) script: String,
    pub(super) font: String,
}

struct Assets {
    style: Asset,
    script: Asset,
    font: Asset,
}

static ASSETS: LazyLock<Assets> = LazyLock::new(|| {
    let font = Asset::new("vazirmatn", "woff2", "font/woff2", FONT.to_vec());
    let style = STYLE.replace(FONT_IN_STYLE, &font.name);
    Assets {
        style: Asset::new("docs", "css", "text/css; charset=utf-8", style.into_bytes()),
        script: Asset::new(
            "docs",
            "js",
            "text/javascript; charset=utf-8",
            SCRIPT.into(),
        ),
        font,
    }
});

impl Asset {
    fn new(stem: &str, ending: &str, content_type: &'static str, bytes: Vec<u8>) -> Self {
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        let name = format!("{stem}-{:016x}.{ending}", hasher.finish());
        Self {
            name,
            content_type,
            bytes,
        }
    }
}

/// The addresses of the files.
pub(super) fn names() -> Names {
    let address = |asset: &Asset| format!("/docs/assets/{}", asset.name);
    Names {
        style: address(&ASSETS.style),
        script: address(&ASSETS.script),
        font: address(&ASSETS.font),
    }
}

/// The file of this name.
pub(super) fn get(name: &str) -> Option<Response> {
    let Assets {
        style,
        script,
        font,
    } = &*ASSETS;
    let asset = [style, script, font]
        .into_iter()
        .find(|asset| asset.name == name)?;
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static(asset.content_type),
        ),
        (header::CACHE_CONTROL, CACHE),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
    ];
    Some((headers, asset.bytes.as_slice()).into_response())
}
