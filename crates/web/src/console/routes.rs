//! Pages and actions, each with what it needs. Nothing of the console is served but through here,
//! so nobody can forget to ask who is there.

use super::door::{self, Door};
use super::security;
use super::trouble;
use super::{ROOT, assets};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodFilter, MethodRouter, get, on};
use domain::user::Permission;
use std::sync::Arc;
use tower_http::compression::CompressionLayer;

/// Octets of a form without files.
const FORM_BYTES_MAX: usize = 1024 * 1024;

/// What somebody must be to see a page or to do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nobody: signing in.
    Nothing,
    /// Signed in, as whatever.
    SignedIn,
    /// Signed in, with this permission.
    May(Permission),
}

impl From<Permission> for Needs {
    fn from(permission: Permission) -> Self {
        Self::May(permission)
    }
}

/// A page or an action.
#[derive(Clone, Debug)]
pub struct Entry {
    /// GET for a page, POST for an action.
    pub method: Method,
    /// Its path, with `{name}` for what varies.
    pub path: String,
    /// What it needs.
    pub needs: Needs,
}

/// The pages and actions of the console.
#[derive(Default)]
pub(super) struct Routes {
    router: Router<Arc<Door>>,
    entries: Vec<Entry>,
}

impl Routes {
    /// A page. `path` is that below `/console`.
    pub(super) fn page<H, T>(self, path: &str, needs: impl Into<Needs>, handler: H) -> Self
    where
        H: Handler<T, Arc<Door>>,
        T: 'static,
    {
        self.add(Method::GET, path, needs.into(), handler, FORM_BYTES_MAX)
    }

    /// An action: what a form does.
    pub(super) fn action<H, T>(self, path: &str, needs: impl Into<Needs>, handler: H) -> Self
    where
        H: Handler<T, Arc<Door>>,
        T: 'static,
    {
        self.add(Method::POST, path, needs.into(), handler, FORM_BYTES_MAX)
    }

    /// An action with files, whose body may have so many octets.
    pub(super) fn upload<H, T>(
        self,
        path: &str,
        needs: impl Into<Needs>,
        bytes_max: usize,
        handler: H,
    ) -> Self
    where
        H: Handler<T, Arc<Door>>,
        T: 'static,
    {
        self.add(Method::POST, path, needs.into(), handler, bytes_max)
    }

    fn add<H, T>(
        mut self,
        method: Method,
        path: &str,
        needs: Needs,
        handler: H,
        bytes_max: usize,
    ) -> Self
    where
        H: Handler<T, Arc<Door>>,
        T: 'static,
    {
        let path = format!("{ROOT}{path}");
        let filter = match method {
            Method::GET => MethodFilter::GET,
            _ => MethodFilter::POST,
        };
        let admitted = move |door, request, next| door::admit(needs, door, request, next);
        self.entries.push(Entry {
            method,
            path: path.clone(),
            needs,
        });
        let route: MethodRouter<Arc<Door>> = on(filter, handler);
        let route = route.layer(DefaultBodyLimit::max(bytes_max));
        // The check needs the door, which is there only when the router is finished.
        self.router = self.router.route(
            &path,
            route.layer(axum::middleware::from_fn(
                move |request: axum::extract::Request, next: axum::middleware::Next| {
                    let door = request.extensions().get::<Arc<Door>>().cloned();
                    admitted(door, request, next)
                },
            )),
        );
        self
    }

    /// Everything that was added.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The whole router, with what stands before every page.
    pub(super) fn into_router(self, door: Arc<Door>) -> Router {
        let pages = self
            .router
            .route(ROOT, get(super::home::enter))
            .route(&format!("{ROOT}/"), get(super::home::enter))
            .route(&format!("{ROOT}/{{*rest}}"), get(trouble::nothing_here))
            .layer(from_fn(trouble::shown))
            .layer(from_fn(security::same_origin))
            .layer(from_fn_with_state(Arc::clone(&door), door::met))
            .layer(from_fn(security::headers))
            .with_state(door);
        Router::new()
            .route(&format!("{ROOT}/assets/{{name}}"), get(assets::serve))
            .merge(pages)
            .layer(CompressionLayer::new().gzip(true))
    }
}
