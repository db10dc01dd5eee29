<?php
/**
 * The mobile number of people: in the profile, and at the checkout of WooCommerce.
 *
 * @package Peyk
 */

defined( 'ABSPATH' ) || exit;

/**
 * Numbers may be typed with Persian digits and in any form; they are kept as `+98` and ten digits.
 */
final class Peyk_Phone {

	const META = 'peyk_phone';

	/** Where it meets WordPress and WooCommerce. */
	public static function hook() {
		add_action( 'show_user_profile', array( __CLASS__, 'field' ) );
		add_action( 'edit_user_profile', array( __CLASS__, 'field' ) );
		add_action( 'user_profile_update_errors', array( __CLASS__, 'check_profile' ), 10, 3 );
		add_action( 'personal_options_update', array( __CLASS__, 'save' ) );
		add_action( 'edit_user_profile_update', array( __CLASS__, 'save' ) );
		add_filter( 'woocommerce_checkout_posted_data', array( __CLASS__, 'read_checkout' ) );
		add_action( 'woocommerce_after_checkout_validation', array( __CLASS__, 'check_checkout' ), 10, 2 );
		add_action( 'woocommerce_store_api_checkout_update_order_from_request', array( __CLASS__, 'check_block_checkout' ) );
	}

	/**
	 * The field of the profile.
	 *
	 * @param WP_User $user The user.
	 */
	public static function field( $user ) {
		if ( ! Peyk_Settings::get( 'profile_field' ) ) {
			return;
		}
		wp_nonce_field( 'peyk_phone_' . $user->ID, 'peyk_phone_nonce' );
		?>
		<h2><?php esc_html_e( 'SMS', 'peyk' ); ?></h2>
		<table class="form-table" role="presentation">
			<tr>
				<th><label for="peyk_phone"><?php esc_html_e( 'Mobile number', 'peyk' ); ?></label></th>
				<td>
					<input type="tel" dir="ltr" name="peyk_phone" id="peyk_phone" class="regular-text" maxlength="<?php echo esc_attr( Peyk_Numbers::LENGTH_MAX ); ?>" value="<?php echo esc_attr( get_user_meta( $user->ID, self::META, true ) ); ?>" />
					<p class="description"><?php esc_html_e( 'Such as 0912 111 1111.', 'peyk' ); ?></p>
				</td>
			</tr>
		</table>
		<?php
	}

	/** What the form of the profile sent; null when it did not come from there. */
	private static function posted( $user_id ) {
		if ( ! isset( $_POST['peyk_phone'], $_POST['peyk_phone_nonce'] ) || ! is_string( $_POST['peyk_phone'] ) ) {
			return null;
		}
		$nonce = sanitize_key( wp_unslash( $_POST['peyk_phone_nonce'] ) );
		if ( ! wp_verify_nonce( $nonce, 'peyk_phone_' . $user_id ) ) {
			return null;
		}
		return trim( sanitize_text_field( wp_unslash( $_POST['peyk_phone'] ) ) );
	}

	/**
	 * Says what is wrong with a number.
	 *
	 * @param WP_Error $errors The errors of the form.
	 * @param bool     $update Whether the user is there already.
	 * @param stdClass $user   The user.
	 */
	public static function check_profile( $errors, $update, $user ) {
		$given = $update && isset( $user->ID ) ? self::posted( $user->ID ) : null;
		if ( null !== $given && '' !== $given && '' === Peyk_Numbers::mobile( $given ) ) {
			$errors->add( 'peyk_phone', __( 'The mobile number is not right. It is like 0912 111 1111.', 'peyk' ) );
		}
	}

	/**
	 * Keeps a number.
	 *
	 * @param int $user_id The user.
	 */
	public static function save( $user_id ) {
		$given = current_user_can( 'edit_user', $user_id ) ? self::posted( $user_id ) : null;
		if ( null === $given ) {
			return;
		}
		$number = Peyk_Numbers::mobile( $given );
		if ( '' !== $number ) {
			update_user_meta( $user_id, self::META, $number );
		} elseif ( '' === $given ) {
			delete_user_meta( $user_id, self::META );
		}
	}

	/**
	 * Reads the number of a checkout. What is none stays as it is: it may be a landline.
	 *
	 * @param array $data The form.
	 */
	public static function read_checkout( $data ) {
		if ( is_array( $data ) && isset( $data['billing_phone'] ) && is_scalar( $data['billing_phone'] ) ) {
			$data['billing_phone'] = self::tidy( $data['billing_phone'] );
		}
		return $data;
	}

	/**
	 * Demands a mobile number, if the shop wants one.
	 *
	 * @param array    $data   The form.
	 * @param WP_Error $errors Its errors.
	 */
	public static function check_checkout( $data, $errors ) {
		$given = isset( $data['billing_phone'] ) && is_scalar( $data['billing_phone'] ) ? (string) $data['billing_phone'] : '';
		if ( Peyk_Settings::get( 'require_mobile' ) && '' !== trim( $given ) && '' === Peyk_Numbers::mobile( $given ) ) {
			$errors->add( 'billing_phone_validation', self::complaint(), array( 'id' => 'billing_phone' ) );
		}
	}

	/**
	 * The same for the checkout of blocks, where the order is made from a request.
	 *
	 * @param WC_Order $order The order.
	 * @throws Exception When the shop wants a mobile number and this is none; WooCommerce shows it.
	 */
	public static function check_block_checkout( $order ) {
		$given = (string) $order->get_billing_phone();
		$order->set_billing_phone( self::tidy( $given ) );
		$error = 'Automattic\WooCommerce\StoreApi\Exceptions\RouteException';
		if ( Peyk_Settings::get( 'require_mobile' ) && '' !== trim( $given ) && '' === Peyk_Numbers::mobile( $given ) && class_exists( $error ) ) {
			throw new $error( 'peyk_phone', self::complaint(), 400 );
		}
	}

	/**
	 * A mobile number in its one form; else the text with digits 0-9.
	 *
	 * @param mixed $given What was typed.
	 */
	private static function tidy( $given ) {
		$number = Peyk_Numbers::mobile( $given );
		return '' !== $number ? $number : Peyk_Numbers::latin_digits( $given );
	}

	/** What is said of a number that is none. */
	private static function complaint() {
		return __( 'Please give a mobile number, like 0912 111 1111.', 'peyk' );
	}
}
