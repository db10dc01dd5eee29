<?php
/**
 * What the owner of the site sets.
 *
 * @package Peyk
 */

defined( 'ABSPATH' ) || exit;

/**
 * Settings, their defaults and their checks. The password lies in an option of its own that is not loaded
 * with every page, and is never shown.
 */
final class Peyk_Settings {

	const OPTION = 'peyk_settings';
	const SECRET = 'peyk_secret';
	const TEXTS  = 'peyk_order_texts';

	/** Characters of the longest text of an order that is kept. */
	const TEXT_MAX = 1000;

	/** Constants of wp-config.php that go before what is set here. */
	const CONSTANTS = array(
		'url'      => 'PEYK_URL',
		'username' => 'PEYK_USERNAME',
		'line'     => 'PEYK_LINE',
	);

	const DEFAULTS = array(
		'url'            => '',
		'login'          => 'password',
		'username'       => '',
		'line'           => '',
		'mode'           => 'background',
		'timeout'        => 10,
		'managers'       => '',
		'profile_field'  => true,
		'require_mobile' => false,
	);

	/**
	 * One setting.
	 *
	 * @param string $name A key of DEFAULTS.
	 */
	public static function get( $name ) {
		if ( self::is_constant( $name ) ) {
			return (string) constant( self::CONSTANTS[ $name ] );
		}
		$all = get_option( self::OPTION, array() );
		return is_array( $all ) && isset( $all[ $name ] ) ? $all[ $name ] : self::DEFAULTS[ $name ];
	}

	/**
	 * Whether wp-config.php sets it.
	 *
	 * @param string $name A key of DEFAULTS, or `secret`.
	 */
	public static function is_constant( $name ) {
		if ( 'secret' === $name ) {
			return defined( 'PEYK_SECRET' );
		}
		return isset( self::CONSTANTS[ $name ] ) && defined( self::CONSTANTS[ $name ] );
	}

	/** The password or the key. */
	public static function secret() {
		return defined( 'PEYK_SECRET' ) ? (string) PEYK_SECRET : (string) get_option( self::SECRET, '' );
	}

	/** Whether a message could be sent. */
	public static function is_complete() {
		$has_user = 'key' === self::get( 'login' ) || '' !== self::get( 'username' );
		return '' !== self::endpoint( self::get( 'url' ) ) && $has_user && '' !== self::secret();
	}

	/**
	 * The address of the web service, from its base or the whole; an empty text for what is none.
	 *
	 * @param string $text What somebody typed.
	 */
	public static function endpoint( $text ) {
		$parts  = wp_parse_url( trim( (string) $text ) );
		$scheme = is_array( $parts ) && isset( $parts['scheme'] ) ? strtolower( $parts['scheme'] ) : '';
		if ( ! in_array( $scheme, array( 'http', 'https' ), true ) || empty( $parts['host'] ) ) {
			return '';
		}
		if ( isset( $parts['user'] ) || isset( $parts['query'] ) || isset( $parts['fragment'] ) ) {
			return '';
		}
		$path = isset( $parts['path'] ) ? rtrim( $parts['path'], '/' ) : '';
		if ( ! preg_match( '#(/services\.jspd|/api/select)$#D', $path ) ) {
			$path .= '/services.jspd';
		}
		$port = isset( $parts['port'] ) ? ':' . $parts['port'] : '';
		return $scheme . '://' . $parts['host'] . $port . $path;
	}

	/** Tells WordPress of them, which then checks nonce and capability of the forms. */
	public static function register() {
		register_setting(
			'peyk',
			self::OPTION,
			array(
				'type'              => 'object',
				'sanitize_callback' => array( __CLASS__, 'sanitize' ),
				'show_in_rest'      => false,
			)
		);
		register_setting(
			'peyk_texts',
			self::TEXTS,
			array(
				'type'              => 'object',
				'sanitize_callback' => array( __CLASS__, 'sanitize_texts' ),
				'show_in_rest'      => false,
			)
		);
	}

	/**
	 * Checks a form. What is wrong stays as it was, and the form says so.
	 *
	 * @param mixed $input What the form sent.
	 */
	public static function sanitize( $input ) {
		$input = is_array( $input ) ? $input : array();
		$text  = static function ( $name ) use ( $input ) {
			return isset( $input[ $name ] ) && is_scalar( $input[ $name ] ) ? sanitize_text_field( (string) $input[ $name ] ) : '';
		};
		$old   = array();
		foreach ( array_keys( self::DEFAULTS ) as $name ) {
			$old[ $name ] = self::get( $name );
		}
		$url = $text( 'url' );
		if ( '' !== $url && '' === self::endpoint( $url ) ) {
			add_settings_error( self::OPTION, 'url', __( 'The address must begin with http:// or https:// and hold no user name.', 'peyk' ) );
			$url = $old['url'];
		}
		$clean = array(
			'url'            => $url,
			'login'          => 'key' === $text( 'login' ) ? 'key' : 'password',
			'username'       => $text( 'username' ),
			'line'           => Peyk_Numbers::latin_digits( $text( 'line' ) ),
			'mode'           => 'now' === $text( 'mode' ) ? 'now' : 'background',
			'timeout'        => min( 30, max( 2, (int) Peyk_Numbers::latin_digits( $text( 'timeout' ) ) ) ),
			'managers'       => self::managers( isset( $input['managers'] ) && is_scalar( $input['managers'] ) ? (string) $input['managers'] : '' ),
			'profile_field'  => ! empty( $input['profile_field'] ),
			'require_mobile' => ! empty( $input['require_mobile'] ),
		);
		self::change_secret( $input, $old, $clean );
		delete_transient( 'peyk_credit' );
		return $clean;
	}

	/**
	 * The managers' numbers, one on each line; says which were none.
	 *
	 * @param string $text What somebody typed.
	 */
	private static function managers( $text ) {
		$items = array_filter( array_map( 'trim', preg_split( '/[,;،؛\r\n]+/u', $text ) ) );
		foreach ( $items as $item ) {
			if ( '' === Peyk_Numbers::mobile( $item ) ) {
				/* translators: %s: what somebody typed as a number */
				add_settings_error( self::OPTION, 'managers', sprintf( __( '%s is not a mobile number, and was left out.', 'peyk' ), sanitize_text_field( $item ) ) );
			}
		}
		return implode( "\n", Peyk_Numbers::mobiles( $items ) );
	}

	/**
	 * Keeps a new password. A stored one does not go to another server than it was given for.
	 *
	 * @param array $input What the form sent.
	 * @param array $old   The settings until now.
	 * @param array $clean The settings from now on.
	 */
	private static function change_secret( array $input, array $old, array $clean ) {
		$given = isset( $input['secret'] ) && is_scalar( $input['secret'] ) ? trim( (string) $input['secret'] ) : '';
		if ( '' !== $given ) {
			update_option( self::SECRET, $given, false );
			return;
		}
		if ( false === get_option( self::OPTION ) ) {
			// WordPress checks an option a second time when it is first made, and then without the password.
			return;
		}
		$server = static function ( $url ) {
			return (string) preg_replace( '#^(https?://[^/]+).*$#', '$1', Peyk_Settings::endpoint( $url ) );
		};
		$moved  = '' !== $old['url'] && $server( $old['url'] ) !== $server( $clean['url'] );
		$other  = $old['username'] !== $clean['username'] || $old['login'] !== $clean['login'];
		if ( ( $moved || $other ) && '' !== (string) get_option( self::SECRET, '' ) ) {
			delete_option( self::SECRET );
			add_settings_error( self::OPTION, 'secret', __( 'The server or the user changed, so that the stored password was removed. Please type it again.', 'peyk' ) );
		}
	}

	/**
	 * Checks the texts of orders: for each status and each side, whether to send and what.
	 *
	 * @param mixed $input What the form sent.
	 */
	public static function sanitize_texts( $input ) {
		$clean = array();
		foreach ( is_array( $input ) ? $input : array() as $status => $sides ) {
			$status = sanitize_key( $status );
			foreach ( array( 'customer', 'manager' ) as $side ) {
				$given = isset( $sides[ $side ] ) && is_array( $sides[ $side ] ) ? $sides[ $side ] : array();
				$text  = isset( $given['text'] ) && is_scalar( $given['text'] ) ? sanitize_textarea_field( (string) $given['text'] ) : '';
				$text  = mb_substr( $text, 0, self::TEXT_MAX );
				if ( '' === $status || ( '' === $text && empty( $given['on'] ) ) ) {
					continue;
				}
				foreach ( Peyk_Orders::unknown_variables( $text ) as $name ) {
					/* translators: %s: a variable such as {order_number} */
					add_settings_error( self::TEXTS, 'variable', sprintf( __( '%s is not a variable, and will be sent as it stands.', 'peyk' ), '{' . $name . '}' ), 'warning' );
				}
				$clean[ $status ][ $side ] = array(
					'on'   => ! empty( $given['on'] ) && '' !== trim( $text ),
					'text' => $text,
				);
			}
		}
		return $clean;
	}

	/**
	 * The text for one side of a status; an empty one when nothing is to be sent.
	 *
	 * @param string $status Without `wc-`.
	 * @param string $side   `customer` or `manager`.
	 */
	public static function order_text( $status, $side ) {
		$all = get_option( self::TEXTS, array() );
		$one = is_array( $all ) && isset( $all[ $status ][ $side ] ) ? $all[ $status ][ $side ] : array();
		return empty( $one['on'] ) || ! isset( $one['text'] ) ? '' : (string) $one['text'];
	}
}
