//! Style sheet, scripts, icons and font: in the binary, under names that change with their content.
//!
//! What is not ours is listed in `data/console/VENDORED.md`.

use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::LazyLock;

/// Names change with the content, so a browser may keep them for good.
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Where in the style sheet the font's name stands.
const FONT_IN_STYLE: &str = "vazirmatn.woff2";
/// Digits of a digest in a name.
const DIGEST_CHARS: usize = 16;

/// One file as it is served.
struct Asset {
    name: String,
    content_type: &'static str,
    bytes: Vec<u8>,
}

impl Asset {
    fn new(stem: &str, ending: &str, content_type: &'static str, bytes: &[u8]) -> Self {
        let digest = blake3::hash(bytes).to_hex();
        Self {
            name: format!("{stem}-{}.{ending}", &digest[..DIGEST_CHARS]),
            content_type,
            bytes: bytes.to_vec(),
        }
    }

    fn script(stem: &str, text: &str) -> Self {
        let content_type = "text/javascript; charset=utf-8";
        Self::new(stem, "js", content_type, text.as_bytes())
    }

    fn style(stem: &str, text: &str) -> Self {
        Self::new(stem, "css", "text/css; charset=utf-8", text.as_bytes())
    }
}

macro_rules! assets {
    ($($name:ident: $make:expr;)*) => {
        struct Assets { $($name: Asset,)* }

        impl Assets {
            fn all(&self) -> impl Iterator<Item = &Asset> {
                [$(&self.$name,)*].into_iter()
            }
        }

        static ASSETS: LazyLock<Assets> = LazyLock::new(|| Assets { $($name: $make,)* });

        $(
            /// The address of the file of this name.
            pub(super) fn $name() -> String {
                format!("{}/assets/{}", super::ROOT, ASSETS.$name.name)
            }
        )*
    };
}

assets! {
    font: Asset::new("vazirmatn", "woff2", "font/woff2", include_bytes!("../../data/docs/vazirmatn.woff2"));
    style: {
        let font = Asset::new("vazirmatn", "woff2", "font/woff2", include_bytes!("../../data/docs/vazirmatn.woff2"));
        let text = include_str!("../../templates/console/style.css");
        Asset::style("console", &text.replace(FONT_IN_STYLE, &font.name))
    };
    script: Asset::script("console", include_str!("../../templates/console/script.js"));
    htmx: Asset::script("htmx", include_str!("../../data/console/htmx-2.0.11.min.js"));
    htmx_sse: Asset::script("htmx-sse", include_str!("../../data/console/htmx-ext-sse-2.2.4.min.js"));
    uplot: Asset::script("uplot", include_str!("../../data/console/uplot-1.6.32.min.js"));
    uplot_style: Asset::style("uplot", include_str!("../../data/console/uplot-1.6.32.min.css"));
    charts: Asset::script("charts", include_str!("../../templates/console/charts.js"));
    icons: Asset::new("icons", "svg", "image/svg+xml", include_bytes!("../../templates/console/icons.svg"));
}

/// The file of this name.
pub(super) async fn serve(Path(name): Path<String>) -> Response {
    let Some(asset) = ASSETS.all().find(|asset| asset.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
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
    (headers, asset.bytes.as_slice()).into_response()
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_not_ours_is_what_its_package_has() {
        let list = include_str!("../../data/console/VENDORED.md");
        for (name, bytes) in [
            (
                "htmx-2.0.11.min.js",
                &include_bytes!("../../data/console/htmx-2.0.11.min.js")[..],
            ),
            (
                "htmx-ext-sse-2.2.4.min.js",
                include_bytes!("../../data/console/htmx-ext-sse-2.2.4.min.js"),
            ),
            (
                "uplot-1.6.32.min.js",
                include_bytes!("../../data/console/uplot-1.6.32.min.js"),
            ),
            (
                "uplot-1.6.32.min.css",
                include_bytes!("../../data/console/uplot-1.6.32.min.css"),
            ),
        ] {
            let row = list
                .lines()
                .find(|line| line.contains(&format!("| {name} |")));
            let digest = blake3::hash(bytes).to_hex();
            assert!(
                row.is_some_and(|row| row.contains(digest.as_str())),
                "{name}"
            );
        }
    }
}
