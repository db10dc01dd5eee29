<?php
/**
 * The pages of the dashboard.
 *
 * @package Peyk
 */

defined( 'ABSPATH' ) || exit;

/**
 * One page with tabs: settings, texts of orders, test, log.
 */
final class Peyk_Admin {

	const PAGE       = 'peyk';
	const CAPABILITY = 'manage_options';
	const LOG_ROWS   = 50;

	/** Where it meets WordPress. */
	public static function hook() {
		add_action( 'admin_menu', array( __CLASS__, 'menu' ) );
		add_action( 'admin_init', array( 'Peyk_Settings', 'register' ) );
		add_action( 'admin_enqueue_scripts', array( __CLASS__, 'style' ) );
		add_action( 'admin_post_peyk_check', array( __CLASS__, 'check' ) );
		add_action( 'admin_post_peyk_test', array( __CLASS__, 'test' ) );
		add_filter( 'plugin_action_links_' . plugin_basename( PEYK_FILE ), array( __CLASS__, 'links' ) );
	}

	/** The tabs by their names in the address. */
	private static function tabs() {
		$tabs = array(
			'settings' => __( 'Settings', 'peyk' ),
			'orders'   => __( 'Order texts', 'peyk' ),
			'test'     => __( 'Test', 'peyk' ),
			'log'      => __( 'Last messages', 'peyk' ),
		);
		if ( ! function_exists( 'wc_get_order_statuses' ) ) {
			unset( $tabs['orders'] );
		}
		return $tabs;
	}

	/** The entry of the menu. */
	public static function menu() {
		add_menu_page( __( 'SMS', 'peyk' ), __( 'SMS', 'peyk' ), self::CAPABILITY, self::PAGE, array( __CLASS__, 'page' ), 'dashicons-email-alt', 58 );
	}

	/**
	 * The entry beside "Deactivate".
	 *
	 * @param string[] $links The other entries.
	 */
	public static function links( $links ) {
		array_unshift( $links, '<a href="' . esc_url( self::address( 'settings' ) ) . '">' . esc_html__( 'Settings', 'peyk' ) . '</a>' );
		return $links;
	}

	/**
	 * The style of these pages, on these pages only.
	 *
	 * @param string $hook The page.
	 */
	public static function style( $hook ) {
		if ( 'toplevel_page_' . self::PAGE === $hook ) {
			wp_enqueue_style( 'peyk-admin', plugins_url( 'assets/admin.css', PEYK_FILE ), array(), PEYK_VERSION );
		}
	}

	/**
	 * The address of a tab.
	 *
	 * @param string $tab Its name.
	 */
	private static function address( $tab ) {
		return add_query_arg(
			array(
				'page' => self::PAGE,
				'tab'  => $tab,
			),
			admin_url( 'admin.php' )
		);
	}

	/** The page. */
	public static function page() {
		if ( ! current_user_can( self::CAPABILITY ) ) {
			return;
		}
		$tabs = self::tabs();
		$tab  = isset( $_GET['tab'] ) && is_string( $_GET['tab'] ) ? sanitize_key( $_GET['tab'] ) : ''; // phpcs:ignore WordPress.Security.NonceVerification
		$tab  = isset( $tabs[ $tab ] ) ? $tab : 'settings';
		echo '<div class="wrap peyk"><h1>' . esc_html__( 'SMS', 'peyk' ) . '</h1>';
		self::notice();
		settings_errors();
		echo '<nav class="nav-tab-wrapper">';
		foreach ( $tabs as $name => $title ) {
			printf( '<a class="nav-tab%s" href="%s">%s</a>', $name === $tab ? ' nav-tab-active' : '', esc_url( self::address( $name ) ), esc_html( $title ) );
		}
		echo '</nav>';
		call_user_func( array( __CLASS__, 'tab_' . $tab ) );
		echo '</div>';
	}

	/** The tab with the settings. */
	private static function tab_settings() {
		self::credit();
		echo '<form method="post" action="options.php" autocomplete="off">';
		settings_fields( 'peyk' );
		echo '<table class="form-table" role="presentation">';
		self::text_row( 'url', __( 'Address of the service', 'peyk' ), __( 'Such as https://sms.example.ir', 'peyk' ), 'url' );
		self::login_row();
		self::text_row( 'username', __( 'User name', 'peyk' ), '' );
		self::secret_row();
		self::text_row( 'line', __( 'Sender line', 'peyk' ), __( 'A number such as 3000505, or a name.', 'peyk' ) );
		self::mode_row();
		self::text_row( 'timeout', __( 'Time-out in seconds', 'peyk' ), __( '2 to 30. A visitor who waits for a message waits at most 5.', 'peyk' ), 'number' );
		self::managers_row();
		self::checkbox_row( 'profile_field', __( 'Profile', 'peyk' ), __( 'Ask users for a mobile number in their profile.', 'peyk' ) );
		self::checkbox_row( 'require_mobile', __( 'Checkout', 'peyk' ), __( 'The phone number of a checkout must be a mobile number of Iran.', 'peyk' ) );
		echo '</table>';
		submit_button();
		echo '</form>';
	}

	/** What can be spent. */
	private static function credit() {
		if ( ! Peyk_Settings::is_complete() ) {
			return;
		}
		$credit = Peyk_Api::remembered_credit();
		if ( is_wp_error( $credit ) ) {
			echo '<p class="peyk-credit peyk-bad">' . esc_html( $credit->get_error_message() ) . '</p>';
			return;
		}
		/* translators: %s: an amount */
		$words = sprintf( __( 'Credit: %s rials', 'peyk' ), number_format_i18n( (float) $credit ) );
		echo '<p class="peyk-credit">' . esc_html( $words ) . '</p>';
	}

	/**
	 * A row with a line of text.
	 *
	 * @param string $name  A setting.
	 * @param string $title Its title.
	 * @param string $hint  What to type.
	 * @param string $type  The type of the field.
	 */
	private static function text_row( $name, $title, $hint, $type = 'text' ) {
		$is_constant = Peyk_Settings::is_constant( $name );
		printf(
			'<tr><th scope="row"><label for="peyk_%1$s">%2$s</label></th><td><input type="%3$s" dir="ltr" class="regular-text" id="peyk_%1$s" name="%4$s[%1$s]" value="%5$s" autocomplete="off"%6$s /><p class="description">%7$s</p></td></tr>',
			esc_attr( $name ),
			esc_html( $title ),
			esc_attr( $type ),
			esc_attr( Peyk_Settings::OPTION ),
			esc_attr( (string) Peyk_Settings::get( $name ) ),
			$is_constant ? ' readonly' : '',
			esc_html( $is_constant ? __( 'Set in wp-config.php.', 'peyk' ) : $hint )
		);
	}

	/** The row with the kind of login. */
	private static function login_row() {
		$kinds = array(
			'password' => __( 'User name and password', 'peyk' ),
			'key'      => __( 'API key', 'peyk' ),
		);
		self::choice_row( 'login', __( 'Login', 'peyk' ), $kinds );
	}

	/** The row with the way of sending. */
	private static function mode_row() {
		$modes = array(
			'background' => __( 'In the background (recommended)', 'peyk' ),
			'now'        => __( 'At once, while the visitor waits', 'peyk' ),
		);
		self::choice_row( 'mode', __( 'Sending', 'peyk' ), $modes );
	}

	/**
	 * A row with a choice.
	 *
	 * @param string $name    A setting.
	 * @param string $title   Its title.
	 * @param array  $choices Titles by value.
	 */
	private static function choice_row( $name, $title, array $choices ) {
		printf( '<tr><th scope="row">%s</th><td><fieldset>', esc_html( $title ) );
		foreach ( $choices as $value => $words ) {
			printf(
				'<label><input type="radio" name="%s[%s]" value="%s"%s /> %s</label><br />',
				esc_attr( Peyk_Settings::OPTION ),
				esc_attr( $name ),
				esc_attr( $value ),
				checked( Peyk_Settings::get( $name ), $value, false ),
				esc_html( $words )
			);
		}
		echo '</fieldset></td></tr>';
	}

	/** The row with the password, which is never shown. */
	private static function secret_row() {
		$hint = '' === Peyk_Settings::secret()
			? __( 'Not set yet.', 'peyk' )
			: __( 'It is stored and is not shown. Leave this empty to keep it.', 'peyk' );
		$hint = Peyk_Settings::is_constant( 'secret' ) ? __( 'Set in wp-config.php.', 'peyk' ) : $hint;
		printf(
			'<tr><th scope="row"><label for="peyk_secret">%s</label></th><td><input type="password" dir="ltr" class="regular-text" id="peyk_secret" name="%s[secret]" value="" autocomplete="new-password"%s /><p class="description">%s</p></td></tr>',
			esc_html__( 'Password or key', 'peyk' ),
			esc_attr( Peyk_Settings::OPTION ),
			Peyk_Settings::is_constant( 'secret' ) ? ' disabled' : '',
			esc_html( $hint )
		);
	}

	/** The row with the managers' numbers. */
	private static function managers_row() {
		printf(
			'<tr><th scope="row"><label for="peyk_managers">%s</label></th><td><textarea dir="ltr" rows="3" class="regular-text" id="peyk_managers" name="%s[managers]">%s</textarea><p class="description">%s</p></td></tr>',
			esc_html__( 'Numbers of the managers', 'peyk' ),
			esc_attr( Peyk_Settings::OPTION ),
			esc_textarea( Peyk_Settings::get( 'managers' ) ),
			esc_html__( 'One on each line. They get the texts for managers.', 'peyk' )
		);
	}

	/**
	 * A row with a checkbox.
	 *
	 * @param string $name  A setting.
	 * @param string $title Its title.
	 * @param string $words What is checked.
	 */
	private static function checkbox_row( $name, $title, $words ) {
		printf(
			'<tr><th scope="row">%s</th><td><label><input type="checkbox" name="%s[%s]" value="1"%s /> %s</label></td></tr>',
			esc_html( $title ),
			esc_attr( Peyk_Settings::OPTION ),
			esc_attr( $name ),
			checked( (bool) Peyk_Settings::get( $name ), true, false ),
			esc_html( $words )
		);
	}

	/** The tab with the texts of orders. */
	private static function tab_orders() {
		echo '<p>' . esc_html__( 'A text is sent once for each change of an order to the status. These variables are replaced:', 'peyk' ) . '</p><ul class="peyk-variables">';
		foreach ( Peyk_Orders::variables() as $name => $meaning ) {
			printf( '<li><code dir="ltr">{%s}</code> %s</li>', esc_html( $name ), esc_html( $meaning ) );
		}
		echo '</ul><form method="post" action="options.php">';
		settings_fields( 'peyk_texts' );
		$all = get_option( Peyk_Settings::TEXTS, array() );
		foreach ( wc_get_order_statuses() as $status => $title ) {
			$status = preg_replace( '/^wc-/', '', $status );
			echo '<h2>' . esc_html( $title ) . '</h2><div class="peyk-sides">';
			self::order_side( $all, $status, 'customer', __( 'To the customer', 'peyk' ) );
			self::order_side( $all, $status, 'manager', __( 'To the managers', 'peyk' ) );
			echo '</div>';
		}
		submit_button();
		echo '</form>';
	}

	/**
	 * The text of a status for one side.
	 *
	 * @param mixed  $all    The stored texts.
	 * @param string $status The status.
	 * @param string $side   `customer` or `manager`.
	 * @param string $title  Its title.
	 */
	private static function order_side( $all, $status, $side, $title ) {
		$one  = is_array( $all ) && isset( $all[ $status ][ $side ] ) ? $all[ $status ][ $side ] : array();
		$name = sprintf( '%s[%s][%s]', Peyk_Settings::TEXTS, $status, $side );
		printf(
			'<div><label><input type="checkbox" name="%1$s[on]" value="1"%2$s /> %3$s</label><textarea dir="%6$s" rows="3" name="%1$s[text]" maxlength="%4$d" aria-label="%3$s">%5$s</textarea></div>',
			esc_attr( $name ),
			checked( ! empty( $one['on'] ), true, false ),
			esc_html( $title ),
			(int) Peyk_Settings::TEXT_MAX,
			esc_textarea( isset( $one['text'] ) ? $one['text'] : '' ),
			// Not "auto": a Persian text may begin with a variable, which is Latin.
			is_rtl() ? 'rtl' : 'auto'
		);
	}

	/** The tab with the tests. */
	private static function tab_test() {
		echo '<h2>' . esc_html__( 'Connection', 'peyk' ) . '</h2>';
		self::form_begin( 'peyk_check' );
		submit_button( __( 'Ask the service', 'peyk' ), 'secondary', 'submit', false );
		echo '</form><h2>' . esc_html__( 'A message', 'peyk' ) . '</h2>';
		self::form_begin( 'peyk_test' );
		printf(
			'<p><label>%s<br /><input type="tel" dir="ltr" class="regular-text" name="to" required /></label></p><p><label>%s<br /><textarea dir="auto" class="large-text" rows="3" name="text" required>%s</textarea></label></p>',
			esc_html__( 'Mobile number', 'peyk' ),
			esc_html__( 'Text', 'peyk' ),
			/* translators: %s: the name of the site */
			esc_textarea( sprintf( __( 'A test of %s', 'peyk' ), wp_specialchars_decode( get_bloginfo( 'name' ), ENT_QUOTES ) ) )
		);
		submit_button( __( 'Send', 'peyk' ), 'secondary', 'submit', false );
		echo '</form>';
	}

	/**
	 * The head of a form that does something.
	 *
	 * @param string $action What it does.
	 */
	private static function form_begin( $action ) {
		printf( '<form method="post" action="%s"><input type="hidden" name="action" value="%s" />', esc_url( admin_url( 'admin-post.php' ) ), esc_attr( $action ) );
		wp_nonce_field( $action );
	}

	/** The tab with the log. */
	private static function tab_log() {
		$page = isset( $_GET['paged'] ) ? max( 1, absint( $_GET['paged'] ) ) : 1; // phpcs:ignore WordPress.Security.NonceVerification
		$rows = Peyk_Messages::latest( self::LOG_ROWS, ( $page - 1 ) * self::LOG_ROWS );
		if ( array() === $rows ) {
			echo '<p>' . esc_html__( 'There are no messages yet.', 'peyk' ) . '</p>';
			return;
		}
		$titles = array( __( 'Time', 'peyk' ), __( 'To', 'peyk' ), __( 'Text', 'peyk' ), __( 'State', 'peyk' ), __( 'Bulk id', 'peyk' ), __( 'For', 'peyk' ) );
		echo '<table class="widefat striped peyk-log"><thead><tr><th>' . implode( '</th><th>', array_map( 'esc_html', $titles ) ) . '</th></tr></thead><tbody>';
		array_map( array( __CLASS__, 'log_row' ), $rows );
		echo '</tbody></table>';
		$links = paginate_links(
			array(
				'base'    => add_query_arg( 'paged', '%#%', self::address( 'log' ) ),
				'format'  => '',
				'current' => $page,
				'total'   => (int) ceil( Peyk_Messages::count() / self::LOG_ROWS ),
			)
		);
		echo '<div class="tablenav"><div class="tablenav-pages">' . wp_kses_post( (string) $links ) . '</div></div>';
	}

	/**
	 * A message of the log.
	 *
	 * @param object $message Its row.
	 */
	private static function log_row( $message ) {
		$states = array(
			'queued'  => __( 'waits', 'peyk' ),
			'sending' => __( 'is being sent', 'peyk' ),
			'sent'    => __( 'taken by the service', 'peyk' ),
			'failed'  => __( 'failed', 'peyk' ),
		);
		$to     = explode( ',', $message->recipients );
		$shown  = count( $to ) > 3 ? array_slice( $to, 0, 3 ) : $to;
		$body   = '' === $message->body ? __( '(removed)', 'peyk' ) : $message->body;
		printf(
			'<tr><td><bdi dir="ltr">%s</bdi></td><td><bdi dir="ltr">%s</bdi>%s</td><td dir="auto">%s</td><td class="peyk-%s">%s%s</td><td>%s</td><td><bdi>%s</bdi></td></tr>',
			esc_html( Peyk_Dates::show( (int) strtotime( $message->created_at . ' UTC' ), determine_locale(), 'H:i:s' ) ),
			esc_html( implode( ' ', $shown ) ),
			esc_html( count( $to ) > 3 ? ' … ' . number_format_i18n( count( $to ) ) : '' ),
			esc_html( $body ),
			esc_attr( $message->state ),
			esc_html( isset( $states[ $message->state ] ) ? $states[ $message->state ] : $message->state ),
			'' === $message->error ? '' : '<br /><bdi class="peyk-error">' . esc_html( $message->error ) . '</bdi>',
			esc_html( (string) $message->bulk_id ),
			esc_html( $message->origin )
		);
	}

	/** Asks the service who we are. */
	public static function check() {
		self::admit( 'peyk_check' );
		delete_transient( 'peyk_credit' );
		$credit = Peyk_Api::credit( 5 );
		$lines  = is_wp_error( $credit ) ? $credit : Peyk_Api::lines();
		if ( is_wp_error( $lines ) ) {
			self::back( 'error', $lines->get_error_message() );
		}
		$line  = Peyk_Settings::get( 'line' );
		$known = array_map( array( __CLASS__, 'line_digits' ), $lines );
		if ( ! in_array( self::line_digits( $line ), $known, true ) ) {
			/* translators: 1: a line, 2: the lines of the account */
			self::back( 'error', sprintf( __( 'The login is right, but the line %1$s is not among those of the account: %2$s', 'peyk' ), $line, implode( ', ', $lines ) ) );
		}
		/* translators: %s: an amount */
		self::back( 'success', sprintf( __( 'The service answers. Credit: %s rials', 'peyk' ), number_format_i18n( (float) $credit ) ) );
	}

	/**
	 * A line as the service compares it.
	 *
	 * @param string $line A line.
	 */
	private static function line_digits( $line ) {
		return strtolower( (string) preg_replace( '/^(\+98|0098|098|98)/', '', trim( $line ) ) );
	}

	/** Sends a message while somebody waits. */
	public static function test() {
		self::admit( 'peyk_test' );
		$field  = static function ( $name ) {
			// phpcs:ignore WordPress.Security.NonceVerification, WordPress.Security.ValidatedSanitizedInput
			return isset( $_POST[ $name ] ) && is_string( $_POST[ $name ] ) ? wp_unslash( $_POST[ $name ] ) : '';
		};
		$result = peyk_send(
			sanitize_text_field( $field( 'to' ) ),
			sanitize_textarea_field( $field( 'text' ) ),
			array(
				'mode'   => 'now',
				'origin' => 'test',
			)
		);
		if ( is_wp_error( $result ) ) {
			self::back( 'error', $result->get_error_message() );
		}
		/* translators: %d: the bulk id */
		self::back( 'success', sprintf( __( 'The service took the message, as bulk %d.', 'peyk' ), $result ) );
	}

	/**
	 * Lets nobody else in.
	 *
	 * @param string $action What is asked for.
	 */
	private static function admit( $action ) {
		if ( ! current_user_can( self::CAPABILITY ) ) {
			wp_die( esc_html__( 'You may not do this.', 'peyk' ), '', array( 'response' => 403 ) );
		}
		check_admin_referer( $action );
	}

	/**
	 * Back to the tab with the tests, which says what came out.
	 *
	 * @param string $kind  `success` or `error`.
	 * @param string $words What came out.
	 */
	private static function back( $kind, $words ) {
		set_transient( 'peyk_notice_' . get_current_user_id(), array( $kind, $words ), MINUTE_IN_SECONDS );
		wp_safe_redirect( self::address( 'test' ) );
		exit;
	}

	/** Says what came out, once. */
	private static function notice() {
		$name   = 'peyk_notice_' . get_current_user_id();
		$notice = get_transient( $name );
		if ( is_array( $notice ) && 2 === count( $notice ) ) {
			delete_transient( $name );
			printf( '<div class="notice notice-%s is-dismissible"><p>%s</p></div>', esc_attr( $notice[0] ), esc_html( $notice[1] ) );
		}
	}
}
