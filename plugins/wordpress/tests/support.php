<?php
/**
 * What scenarios use: checks, the settings of the demo, a browser.
 */

register_shutdown_function(
	static function () {
		$error = error_get_last();
		if ( null !== $error && ( $error['type'] & ( E_ERROR | E_PARSE | E_COMPILE_ERROR ) ) ) {
			echo $error['message'], "\n";
			exit( 1 );
		}
	}
);

function same( $wanted, $found, $what = '' ) {
	if ( $wanted !== $found ) {
		throw new LogicException( "$what: found " . var_export( $found, true ) . ', not ' . var_export( $wanted, true ) );
	}
}

function holds( $part, $whole, $what = '' ) {
	if ( false === strpos( $whole, $part ) ) {
		throw new LogicException( "$what: `$part` is not in: $whole" );
	}
}

function lacks( $part, $whole, $what = '' ) {
	if ( false !== strpos( $whole, $part ) ) {
		throw new LogicException( "$what: `$part` is in: $whole" );
	}
}

/** What `peyk demo` wrote: url, uname, pass, from. */
function demo() {
	return json_decode( file_get_contents( getenv( 'WP_TEST_DEMO' ) ), true );
}

/** Each scenario begins with the same settings and an empty log. */
function begin() {
	global $wpdb;
	$demo = demo();
	$wpdb->query( 'DELETE FROM ' . Peyk_Messages::table() );
	wp_unschedule_hook( Peyk_Messages::DELIVER );
	delete_transient( 'peyk_credit' );
	delete_option( Peyk_Settings::TEXTS );
	delete_option( 'stand_in_orders' );
	delete_option( 'WPLANG' );
	update_option( 'timezone_string', '' );
	delete_user_meta( 1, 'locale' );
	if ( is_file( WP_DEBUG_LOG ) ) {
		unlink( WP_DEBUG_LOG );
	}
	update_option( Peyk_Settings::SECRET, $demo['pass'], false );
	set_settings( array() );
}

/** The settings of the demo, with some changed. They are written past the checks of the form. */
function set_settings( array $change ) {
	$demo = demo();
	remove_all_filters( 'sanitize_option_' . Peyk_Settings::OPTION );
	update_option(
		Peyk_Settings::OPTION,
		$change + array(
			'url'      => $demo['url'],
			'username' => $demo['uname'],
			'line'     => $demo['from'],
		) + Peyk_Settings::DEFAULTS
	);
}

/** Runs the tasks that are due, as wp-cron.php does. */
function run_tasks( $later = 0 ) {
	$ran = 0;
	foreach ( _get_cron_array() as $time => $hooks ) {
		foreach ( isset( $hooks[ Peyk_Messages::DELIVER ] ) ? $hooks[ Peyk_Messages::DELIVER ] : array() as $task ) {
			if ( $time <= time() + $later ) {
				wp_unschedule_event( $time, Peyk_Messages::DELIVER, $task['args'] );
				do_action_ref_array( Peyk_Messages::DELIVER, $task['args'] );
				++$ran;
			}
		}
	}
	return $ran;
}

/** The log as `state to: text`, oldest first. */
function told() {
	$rows = array_reverse( Peyk_Messages::latest( 100 ) );
	return array_map(
		static function ( $row ) {
			return "$row->state $row->recipients: $row->body";
		},
		$rows
	);
}

/** What left for the service, by the hook that WordPress gives for it. */
function listen( array &$requests ) {
	add_filter(
		'http_request_args',
		static function ( $args, $url ) use ( &$requests ) {
			$requests[] = $args['body'];
			return $args;
		},
		10,
		2
	);
}

/** The customer of the service behind the demo. */
function customer() {
	require_once dirname( __DIR__, 3 ) . '/clients/php/autoload.php';
	$demo = demo();
	return new Peyk\Client( $demo['url'], $demo['uname'], $demo['pass'] );
}

/** A browser with its cookies, on the site that `php -S` serves. */
final class Browser {
	private $handle;
	public $status;
	public $address;

	public function __construct( $user = null ) {
		$this->handle = curl_init();
		curl_setopt_array(
			$this->handle,
			array(
				CURLOPT_COOKIEFILE     => '',
				CURLOPT_RETURNTRANSFER => true,
				CURLOPT_FOLLOWLOCATION => true,
				CURLOPT_TIMEOUT        => 60,
				CURLOPT_NOPROXY        => '*',
			)
		);
		if ( null !== $user ) {
			$this->get( '/wp-login.php' );
			$this->post(
				'/wp-login.php',
				array(
					'log'         => $user,
					'pwd'         => $user . '-password',
					'testcookie'  => 1,
					'redirect_to' => getenv( 'WP_TEST_URL' ) . '/wp-admin/profile.php',
				)
			);
			holds( '/wp-admin/profile.php', $this->address, 'logged in' );
		}
	}

	public function get( $path ) {
		curl_setopt( $this->handle, CURLOPT_HTTPGET, true );
		return $this->go( $path );
	}

	public function post( $path, array $fields ) {
		curl_setopt( $this->handle, CURLOPT_POSTFIELDS, http_build_query( $fields ) );
		return $this->go( $path );
	}

	/** Fills in and sends the form of a page whose action or hidden field is this. */
	public function submit( $path, $marker, array $fields ) {
		$page = new DOMDocument();
		@$page->loadHTML( '<?xml encoding="UTF-8">' . $this->get( $path ) );
		foreach ( $page->getElementsByTagName( 'form' ) as $form ) {
			$given = array();
			foreach ( $form->getElementsByTagName( 'input' ) as $input ) {
				$type = $input->getAttribute( 'type' );
				if ( 'submit' !== $type && ( ! in_array( $type, array( 'radio', 'checkbox' ), true ) || $input->hasAttribute( 'checked' ) ) ) {
					$given[ $input->getAttribute( 'name' ) ] = $input->getAttribute( 'value' );
				}
			}
			foreach ( $form->getElementsByTagName( 'textarea' ) as $area ) {
				$given[ $area->getAttribute( 'name' ) ] = $area->textContent;
			}
			if ( in_array( $marker, $given, true ) ) {
				$action = $form->getAttribute( 'action' );
				$base   = dirname( $path );
				$target = 0 === strpos( $action, 'http' ) ? substr( $action, strlen( getenv( 'WP_TEST_URL' ) ) ) : "$base/$action";
				return $this->post( '' === $action ? $path : $target, $fields + $given );
			}
		}
		throw new LogicException( "there is no form with `$marker` on $path" );
	}

	private function go( $path ) {
		curl_setopt( $this->handle, CURLOPT_URL, getenv( 'WP_TEST_URL' ) . $path );
		$body          = curl_exec( $this->handle );
		$this->status  = curl_getinfo( $this->handle, CURLINFO_RESPONSE_CODE );
		$this->address = curl_getinfo( $this->handle, CURLINFO_EFFECTIVE_URL );
		if ( false === $body ) {
			throw new LogicException( curl_error( $this->handle ) );
		}
		return $body;
	}
}
